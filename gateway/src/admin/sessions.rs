//! Operations on sessions.

use axum::{Extension, Json, Router, extract::State, routing::post};
use octroi_policy::session::Computer;

use super::{
    Desk,
    facts::{ListSessionsRequest, RevokeRequest, Revoked, Session},
    refusal::Refusal,
    times,
};
use crate::identity::{client::Operator, sessions::SessionFacts};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/v1/sessions/list", post(list))
        .route("/v1/sessions/revoke", post(revoke))
}

async fn list(
    State(desk): State<Desk>,
    Json(request): Json<ListSessionsRequest>,
) -> Result<Json<Vec<Session>>, Refusal> {
    let account = match &request.account {
        Some(account) => Some(desk.identity.find_account(account).await?.id),
        None => None,
    };
    let sessions = desk.identity.sessions(account).await?;
    Ok(Json(sessions.into_iter().map(shown).collect()))
}

async fn revoke(
    State(desk): State<Desk>,
    Extension(operator): Extension<Operator>,
    Json(request): Json<RevokeRequest>,
) -> Result<Json<Revoked>, Refusal> {
    let ended = match request {
        RevokeRequest::Account(account) => {
            let account = desk.identity.find_account(&account).await?;
            desk.identity
                .revoke_sessions_of(operator, account.id)
                .await?
        }
        RevokeRequest::Session(session) => {
            let session = session.parse().map_err(Refusal::refused)?;
            if !desk.identity.revoke_session(operator, session).await? {
                return Err(Refusal::refused("there is no such live session"));
            }
            1
        }
    };
    Ok(Json(Revoked { ended }))
}

fn shown(session: SessionFacts) -> Session {
    Session {
        id: session.id.to_string(),
        account_id: session.account.to_string(),
        started_at: times::written(session.started_at),
        last_used_at: times::written(session.last_used_at),
        ends_at: times::written(session.ends_at),
        computer: match session.computer {
            Computer::Private => "private",
            Computer::Public => "public",
        }
        .to_owned(),
        assurance: session.assurance.as_str().to_owned(),
        address: session.address.map(String::from),
        user_agent: session.user_agent.map(String::from),
    }
}
