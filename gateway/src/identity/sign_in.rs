//! Signing in: one path for everybody, one answer for every failure.
//!
//! Unknown, locked, provisional and past its end, without a password, wrong: each costs the same
//! look-ups, the same counters, one place in the hashing queue, one hash at today's parameters and
//! one line in the journal, and is answered alike (attack class C5).

use std::sync::Arc;

pub(crate) use octroi_policy::sign_in::ChangeReason;
use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{SessionId, TenantId, TenantName},
    login::{self, Login, QualifiedLogin},
    password::opaque::OpaquePassword,
    session::{Computer, SessionEpoch, SessionRecord, Stage, TokenFacts},
    sign_in::{self, AccountStanding, Event as SignInEvent, FirstFactor, PENDING_LIFE, State},
    time::Timestamp,
};

use super::{
    Fault, Identity, Services,
    client::ClientFacts,
    password_hash::{NoVerdict, Verified},
    secret::{SessionToken, TypedPassword},
    throttle::{Attempt, Counters, Granted},
    trace,
};
use crate::{
    entropy,
    journal::event::{Actor, ChangeDemand, Event, SignInFailure},
    store::{
        Conflict, StoreError,
        accounts::{Account, AccountStatus, PasswordOrigin},
        sessions::{EndCause, NewToken, PasswordEffect, SessionOpening, TokenHash},
    },
};

/// What somebody typed into the sign-in form or sent to the API.
pub(crate) struct SignInAttempt {
    /// The login: `login` or `tenant/login`, as typed.
    pub(crate) login: String,
    /// The password.
    pub(crate) password: TypedPassword,
    /// The tenant, where it was sent as a field of its own.
    pub(crate) tenant: Option<String>,
    /// Whose computer it is.
    pub(crate) computer: Computer,
    /// The host that the person wants to reach; `None` for the portal itself.
    pub(crate) host_asked: Option<Host>,
    /// The session token that the browser already holds for the portal: its session ends.
    pub(crate) replaces: Option<SessionToken>,
}

/// What came of it.
pub(crate) enum SignInOutcome {
    /// Signed in.
    SignedIn(NewSession),
    /// The password was right and is good for nothing but choosing another.
    PasswordChangeRequired(NewSession, ChangeReason),
    /// Unknown, locked, erased, expired or wrong: nobody is told which.
    InvalidCredentials,
    /// Too many failures for this account and source.
    TooManyAttempts {
        /// When the next attempt is looked at.
        retry_at: Timestamp,
    },
    /// More sign-ins than can be hashed at present.
    Busy {
        /// Seconds until it is worth trying again.
        retry_after_seconds: u32,
    },
}

/// A session that was just opened, or one whose token was just replaced.
pub(crate) struct NewSession {
    /// The token, for the portal's cookie and nothing else.
    pub(crate) token: SessionToken,
    /// When the session ends whatever happens.
    pub(crate) ends_at: Timestamp,
    /// Whose computer it is: decides on the cookie's life.
    pub(crate) computer: Computer,
    /// Refused attempts on this account since its last sign-in, within the last 24 hours.
    pub(crate) refused_attempts: u32,
}

impl Identity {
    /// Looks at an attempt: throttle, one hash whoever it is, a session or one and the same refusal.
    pub(crate) async fn sign_in(
        &self,
        client: &ClientFacts,
        attempt: SignInAttempt,
    ) -> Result<SignInOutcome, Fault> {
        let services = &self.0;
        let now = services.clock.now();
        let named = services.named(&attempt);
        let account = services.look_up(&named).await?;
        let counters = services.counters(named.tenant.as_ref(), named.counted(), client.address);
        let looked_at = LookedAt {
            client,
            account: account.as_ref(),
            typed: &attempt.login,
            now,
        };
        let granted = match services.reserve(&counters, now).await? {
            Attempt::Granted(granted) => granted,
            Attempt::Refused { retry_at } => {
                services
                    .note_failure(&looked_at, SignInFailure::Throttled)
                    .await?;
                return Ok(SignInOutcome::TooManyAttempts { retry_at });
            }
        };
        let verified = match services
            .verify(&looked_at, &attempt.password, &counters)
            .await?
        {
            Looked::Verdict(verified) => verified,
            Looked::Busy {
                retry_after_seconds,
            } => {
                return Ok(SignInOutcome::Busy {
                    retry_after_seconds,
                });
            }
        };
        let found = first_factor(account.as_ref(), verified);
        let (state, effects) =
            sign_in::step(State::Anonymous, SignInEvent::PasswordPresented(found), now);
        match (account.as_ref(), effects.refusal()) {
            (Some(account), None) => {
                let way_in = WayIn {
                    attempt,
                    verified,
                    granted,
                    state,
                };
                services.open_session(client, account, way_in, now).await
            }
            (_, refusal) => {
                let has_password = account
                    .as_ref()
                    .is_some_and(|account| account.password.is_some());
                let reason = refusal.map_or(SignInFailure::UnknownLogin, |refusal| {
                    trace::failure_word(refusal, has_password)
                });
                services.note_failure(&looked_at, reason).await?;
                Ok(SignInOutcome::InvalidCredentials)
            }
        }
    }
}

/// What an attempt is about.
pub(super) struct LookedAt<'a> {
    pub(super) client: &'a ClientFacts,
    pub(super) account: Option<&'a Account>,
    pub(super) typed: &'a str,
    pub(super) now: Timestamp,
}

/// What came of looking at a password.
pub(super) enum Looked {
    /// It was looked at.
    Verdict(Verified),
    /// There was no room; the attempt is not counted.
    Busy { retry_after_seconds: u32 },
}

/// Whom an attempt names; `None` where what was typed can be no name.
struct Named {
    tenant: Option<TenantName>,
    login: Option<Login>,
    typed: String,
}

impl Named {
    /// The text that names the counters: the canonical login, or what was typed instead of one.
    fn counted(&self) -> &str {
        self.login.as_ref().map_or(&self.typed, Login::as_str)
    }
}

/// What leads from a right password to a session.
struct WayIn {
    attempt: SignInAttempt,
    verified: Verified,
    granted: Granted,
    state: State,
}

/// A session to be opened.
pub(super) struct Opening<'a> {
    pub(super) account: &'a Account,
    pub(super) epoch: SessionEpoch,
    pub(super) stage: Stage,
    pub(super) computer: Computer,
    pub(super) started_at: Timestamp,
    pub(super) ends_at: Timestamp,
}

impl Services {
    /// Whom an attempt names. Tenants are never searched in turn: what was typed decides, then the
    /// host asked for, then the default.
    fn named(&self, attempt: &SignInAttempt) -> Named {
        let typed = attempt.login.clone();
        let settings = self.settings.load();
        let Ok(parsed) = QualifiedLogin::parse(&attempt.login) else {
            return Named {
                tenant: None,
                login: None,
                typed,
            };
        };
        let tenant = match (parsed.tenant, attempt.tenant.as_deref()) {
            (Some(tenant), None) => Some(tenant),
            (None, Some(sent)) => login::parse_tenant(sent).ok(),
            (Some(tenant), Some(sent)) => login::parse_tenant(sent)
                .ok()
                .filter(|sent| *sent == tenant),
            (None, None) => attempt
                .host_asked
                .as_ref()
                .and_then(|host| settings.tenant_of_host.get(host))
                .or(settings.default_tenant.as_ref())
                .cloned(),
        };
        Named {
            tenant,
            login: Some(parsed.login),
            typed,
        }
    }

    /// The account that is named. How often the store is asked depends on what was typed alone,
    /// never on what is found.
    async fn look_up(&self, named: &Named) -> Result<Option<Account>, Fault> {
        let tenant = match &named.tenant {
            Some(tenant) => self.stores.tenants.by_name(tenant).await?,
            None => None,
        };
        let tenant = tenant.map_or(NO_TENANT, |tenant| tenant.id);
        let login = named.login.as_ref().map_or("", Login::as_str);
        Ok(self.stores.accounts.by_login(tenant, login).await?)
    }

    /// Verifies a password; whoever it is costs one hash at today's parameters.
    pub(super) async fn verify(
        &self,
        looked_at: &LookedAt<'_>,
        typed: &TypedPassword,
        counters: &Counters,
    ) -> Result<Looked, Fault> {
        let salt = entropy::random(self.entropy.as_ref())?;
        let password = OpaquePassword::from_typed(typed.expose())
            .ok()
            .map(Arc::new);
        let stored = looked_at
            .account
            .and_then(|account| account.password.as_ref())
            .map(|password| password.hash.clone());
        match self.hasher.verify(password, stored, salt).await {
            Ok(verified) => Ok(Looked::Verdict(verified)),
            Err(NoVerdict::Fault(fault)) => Err(fault),
            Err(NoVerdict::Busy {
                retry_after_seconds,
            }) => {
                self.give_back(counters).await?;
                self.note_failure(looked_at, SignInFailure::Busy).await?;
                Ok(Looked::Busy {
                    retry_after_seconds,
                })
            }
        }
    }

    /// Writes a failed attempt down.
    pub(super) async fn note_failure(
        &self,
        looked_at: &LookedAt<'_>,
        reason: SignInFailure,
    ) -> Result<(), Fault> {
        let LookedAt {
            client,
            account,
            typed,
            now,
        } = *looked_at;
        let draft = trace::of_failure(client, account, typed, reason, now);
        let source = self.failure_source(client.address);
        Ok(self.stores.journal.append_failure(draft, source).await?)
    }

    async fn open_session(
        &self,
        client: &ClientFacts,
        account: &Account,
        way_in: WayIn,
        now: Timestamp,
    ) -> Result<SignInOutcome, Fault> {
        let WayIn {
            attempt,
            verified,
            granted,
            state,
        } = way_in;
        let stage = match state {
            State::SignedIn { .. } => Stage::Full,
            State::Pending { .. } => Stage::MustChangePassword,
            State::Anonymous => return Ok(SignInOutcome::InvalidCredentials),
        };
        let (ends_at, event) = match state {
            State::Pending { ends_at, .. } => {
                let reason = ChangeDemand::Provisional;
                (ends_at, Event::PasswordChangeDemanded { reason })
            }
            State::SignedIn { .. } | State::Anonymous => {
                let (life, portal) = {
                    let settings = self.settings.load();
                    (settings.session_life, settings.portal.clone())
                };
                let host = attempt.host_asked.clone().unwrap_or(portal);
                let computer = attempt.computer;
                (
                    now.after(life),
                    Event::SignedIn {
                        assurance: Assurance::Password,
                        computer,
                        host,
                    },
                )
            }
        };
        let opening = Opening {
            account,
            epoch: account.epoch,
            stage,
            computer: attempt.computer,
            started_at: now,
            ends_at,
        };
        let replaced = self.session_of(attempt.replaces.as_ref());
        let password = self
            .password_effect(account, &attempt, stage, verified)
            .await?;
        let (token, mut opening) = self.opening(client, &opening, now)?;
        opening.replaces = replaced.map(|session| (session, EndCause::Replaced));
        opening.password = password;
        opening.forgives = granted.forgives;
        let mut line = trace::of_client(client, Actor::Account(account.id), account, event, now);
        line.session = Some(opening.record.id);
        opening.journal = vec![line];
        match self.stores.sessions.open(opening).await {
            Ok(_) => {}
            // Somebody else's change, or another use of a single-use password, was first.
            Err(StoreError::Conflict(conflict @ (Conflict::AccountChanged | Conflict::Spent))) => {
                let reason = match conflict {
                    Conflict::Spent => SignInFailure::ProvisionalOver,
                    _ => SignInFailure::Locked,
                };
                let typed = &attempt.login;
                let looked_at = LookedAt {
                    client,
                    account: Some(account),
                    typed,
                    now,
                };
                self.note_failure(&looked_at, reason).await?;
                return Ok(SignInOutcome::InvalidCredentials);
            }
            Err(fault) => return Err(fault.into()),
        }
        if let Some(replaced) = replaced {
            self.ender.end_session(replaced);
        }
        let session = NewSession {
            token,
            ends_at,
            computer: attempt.computer,
            refused_attempts: granted.refused_attempts,
        };
        Ok(match stage {
            Stage::Full => SignInOutcome::SignedIn(session),
            _ => SignInOutcome::PasswordChangeRequired(session, ChangeReason::Provisional),
        })
    }

    /// What becomes of the password: hashed anew under today's parameters where it was outdated,
    /// and where there is room to do so at once.
    async fn password_effect(
        &self,
        account: &Account,
        attempt: &SignInAttempt,
        stage: Stage,
        verified: Verified,
    ) -> Result<PasswordEffect, Fault> {
        if stage != Stage::Full {
            return Ok(PasswordEffect::SpendProvisional);
        }
        let outdated =
            verified == Verified::Matches { outdated: true } && account.password.is_some();
        let Some(password) = OpaquePassword::from_typed(attempt.password.expose())
            .ok()
            .filter(|_| outdated)
        else {
            return Ok(PasswordEffect::Keep);
        };
        let salt = entropy::random(self.entropy.as_ref())?;
        match self.hasher.hash(password, salt).await {
            Ok(hash) => Ok(PasswordEffect::Rehash(hash)),
            Err(NoVerdict::Busy { .. }) => Ok(PasswordEffect::Keep),
            Err(NoVerdict::Fault(fault)) => Err(fault),
        }
    }

    /// A session with its first token, for the portal, and nothing else said of it yet.
    pub(super) fn opening(
        &self,
        client: &ClientFacts,
        opening: &Opening<'_>,
        now: Timestamp,
    ) -> Result<(SessionToken, SessionOpening), Fault> {
        let settings = self.settings.load();
        let account = opening.account;
        let token = SessionToken::draw(self.entropy.as_ref())?;
        let idle_limit = match opening.stage {
            Stage::Full => settings.idle_limit(opening.computer),
            _ => PENDING_LIFE,
        };
        let record = SessionRecord {
            id: SessionId::from_random(entropy::random(self.entropy.as_ref())?),
            account: account.id,
            tenant_id: account.tenant,
            tenant: account.tenant_name.clone(),
            roles: account.roles.clone(),
            grants: account.grants.clone(),
            epoch: opening.epoch,
            stage: opening.stage,
            computer: opening.computer,
            started_at: opening.started_at,
            authenticated_at: now,
            ends_at: opening.ends_at,
            idle_limit,
        };
        let facts = TokenFacts {
            host: settings.portal.clone(),
            assurance: Assurance::Password,
            issued_at: now,
        };
        let opening = SessionOpening {
            record,
            token: NewToken {
                hash: TokenHash(token.digest()),
                facts,
            },
            origin: client.origin(),
            replaces: None,
            password: PasswordEffect::Keep,
            forgives: Vec::new(),
            journal: Vec::new(),
        };
        Ok((token, opening))
    }
}

/// No tenant has it: identifiers are version 4 UUIDs.
const NO_TENANT: TenantId = TenantId::from_bytes([0; 16]);

/// What the state machine is told of the first factor.
fn first_factor(account: Option<&Account>, verified: Verified) -> FirstFactor {
    let origin = account
        .and_then(|account| account.password.as_ref())
        .map(|password| password.origin);
    FirstFactor {
        account: match account.map(|account| account.status) {
            None => AccountStanding::Unknown,
            Some(AccountStatus::Active) => AccountStanding::Active,
            Some(AccountStatus::Locked { .. }) => AccountStanding::Locked,
        },
        password_matches: matches!(verified, Verified::Matches { .. }),
        origin: match origin {
            Some(PasswordOrigin::Provisional { expires_at, spent }) => {
                sign_in::PasswordOrigin::Provisional { expires_at, spent }
            }
            Some(PasswordOrigin::Own) | None => sign_in::PasswordOrigin::Own,
        },
    }
}
