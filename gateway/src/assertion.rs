//! Identity for upstreams: fields that say who asks, and a signed assertion that they can verify.

mod jwt;
mod keys;

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use octroi_config::settings::IdentityHeaders;
use octroi_policy::{
    assurance::Assurance,
    decision::{Passage, RouteIndex},
    id::{AccountId, Role, SessionId, TenantName},
    session::SessionEpoch,
    time::Timestamp,
};

pub(crate) use self::keys::{KeyFault, SigningKeys};
use crate::{
    clock::Clock,
    entropy::{Entropy, EntropyUnavailable, random},
    store::{StoreError, accounts::AccountStore},
};

/// Who passes, and to which route's service.
pub(crate) struct Bearer<'a> {
    /// The person, as the permit says.
    pub(crate) passage: &'a Passage<'a>,
    /// `iss`: the portal's origin.
    pub(crate) issuer: &'a str,
    /// `aud`: the route.
    pub(crate) audience: &'a str,
    /// Which personal facts the service is told.
    pub(crate) identity: &'a IdentityHeaders,
    /// The load of the configuration under which it passes.
    pub(crate) site_version: u64,
    /// The route's place in that load.
    pub(crate) route: RouteIndex,
}

/// The identity fields of one person for one service, ready to be set.
pub(crate) struct Passport {
    fields: Box<[(HeaderName, HeaderValue)]>,
    tenant: TenantName,
    issued_at: Timestamp,
    reissue_at: Timestamp,
}

/// Makes passports, and keeps each for the half of its assertion's life.
pub(crate) struct Passports {
    keys: Arc<SigningKeys>,
    accounts: Arc<dyn AccountStore>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    issued: papaya::HashMap<PassportKey, Arc<Passport>>,
}

/// Every input of a passport (attack class B12): a cached one never outlives what it was made of.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct PassportKey {
    session: SessionId,
    epoch: SessionEpoch,
    assurance: Assurance,
    site_version: u64,
    route: RouteIndex,
}

/// Why no passport could be made. The request is not forwarded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassportFault {
    /// No random bytes, or the signature failed.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
    /// There is no key to sign with.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The account could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account is gone.
    #[error("the account is gone")]
    AccountGone,
    /// A personal fact cannot stand in a header field.
    #[error("a value cannot stand in the field {0}")]
    Field(HeaderName),
}

impl Passports {
    /// How long an assertion is good for.
    pub(crate) const LIFE: Duration = Duration::from_mins(1);
    /// With less than this left a new one is made.
    pub(crate) const RENEWED_BEFORE_END: Duration = Duration::from_secs(30);
    /// Passports that are kept at most; beyond, those that are due anyway are dropped, and then no
    /// more are kept.
    pub(crate) const KEPT_MAX: usize = 200_000;

    /// Passports signed with `keys`.
    pub(crate) fn new(
        keys: Arc<SigningKeys>,
        accounts: Arc<dyn AccountStore>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            keys,
            accounts,
            clock,
            entropy,
            issued: papaya::HashMap::new(),
        }
    }

    /// The passport of a bearer; made when there is none, or when it is due.
    ///
    /// # Errors
    ///
    /// When none can be made.
    pub(crate) async fn for_bearer(
        &self,
        bearer: &Bearer<'_>,
    ) -> Result<Arc<Passport>, PassportFault> {
        let key = PassportKey::of(bearer);
        let now = self.clock.now();
        if let Some(known) = self.issued.pin().get(&key)
            && known.serves_at(now)
            && known.tenant == *bearer.passage.tenant
        {
            return Ok(Arc::clone(known));
        }
        let passport = Arc::new(self.issue(bearer, now).await?);
        if self.issued.len() < Self::KEPT_MAX {
            self.issued.pin().insert(key, Arc::clone(&passport));
        }
        Ok(passport)
    }

    /// Drops what is due. Called every minute.
    pub(crate) fn forget_due(&self) {
        let now = self.clock.now();
        self.issued
            .pin()
            .retain(|_, passport| passport.serves_at(now));
    }

    /// How many are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.issued.len()
    }

    async fn issue(&self, bearer: &Bearer<'_>, now: Timestamp) -> Result<Passport, PassportFault> {
        let subject = bearer.passage.subject;
        let mut fields = Vec::with_capacity(5);
        for (name, value) in self.personal(bearer.identity, subject.account()).await? {
            let value = HeaderValue::from_bytes(value.as_bytes());
            fields.push((name.clone(), value.map_err(|_| PassportFault::Field(name))?));
        }
        let groups = joined(bearer.passage.roles);
        let mut own = vec![
            (REMOTE_TENANT, bearer.passage.tenant.to_string()),
            (REMOTE_GROUPS, groups),
            (ASSERTION, self.assertion(bearer, now)?),
        ];
        if !fields.iter().any(|(name, _)| *name == REMOTE_USER) {
            own.push((REMOTE_USER, subject.account().to_string()));
        }
        for (name, value) in own {
            let value = HeaderValue::try_from(value);
            fields.push((name.clone(), value.map_err(|_| PassportFault::Field(name))?));
        }
        Ok(Passport {
            fields: fields.into(),
            tenant: bearer.passage.tenant.clone(),
            issued_at: now,
            reissue_at: now.after(Self::LIFE).before(Self::RENEWED_BEFORE_END),
        })
    }

    fn assertion(&self, bearer: &Bearer<'_>, now: Timestamp) -> Result<String, PassportFault> {
        let jti = random::<16>(&*self.entropy)?;
        let claims = jwt::Claims::new(bearer, &jti, now, Self::LIFE);
        let key = self.keys.current(now)?;
        Ok(key.sign(&claims)?)
    }

    /// The personal facts that the route asks for. One that the person has not is left out.
    async fn personal(
        &self,
        wanted: &IdentityHeaders,
        account: AccountId,
    ) -> Result<Vec<(HeaderName, Arc<str>)>, PassportFault> {
        if wanted.login.is_none() && wanted.email.is_none() && wanted.name.is_none() {
            return Ok(Vec::new());
        }
        let account = self.accounts.by_id(account).await?;
        let account = account.ok_or(PassportFault::AccountGone)?;
        let facts = [
            (&wanted.login, Some(account.login)),
            (&wanted.email, account.profile.email),
            (&wanted.name, account.profile.name),
        ];
        let told =
            |(name, fact): (&Option<HeaderName>, Option<Arc<str>>)| Some((name.clone()?, fact?));
        Ok(facts.into_iter().filter_map(told).collect())
    }
}

impl Passport {
    /// Whether it is handed out at `now`: not when it is due, and not before it was made, which a
    /// clock that was set back would stretch its life by.
    fn serves_at(&self, now: Timestamp) -> bool {
        self.issued_at <= now && now < self.reissue_at
    }

    /// The identity fields.
    pub(crate) const fn fields(&self) -> &[(HeaderName, HeaderValue)] {
        &self.fields
    }
}

impl PassportKey {
    fn of(bearer: &Bearer<'_>) -> Self {
        let subject = bearer.passage.subject;
        Self {
            session: subject.session(),
            epoch: subject.record().epoch,
            assurance: subject.assurance(),
            site_version: bearer.site_version,
            route: bearer.route,
        }
    }
}

/// Roles in one field. Their grammar has no comma.
fn joined(roles: &[Role]) -> String {
    let roles: Vec<&str> = roles.iter().map(Role::as_str).collect();
    roles.join(",")
}

const ASSERTION: HeaderName = HeaderName::from_static("octroi-assertion");
const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const REMOTE_TENANT: HeaderName = HeaderName::from_static("remote-tenant");
