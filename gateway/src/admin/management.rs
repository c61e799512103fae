//! Health, readiness and metrics, for supervisors on this machine; never on a public address.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// What the management address tells of.
pub(crate) trait Health: Send + Sync + 'static {
    /// Why no new work should come here, if so.
    fn unready(&self) -> Option<&'static str>;

    /// All metrics, in the text format of `OpenMetrics`.
    fn metrics(&self) -> String;
}

/// `/healthz` (the process lives), `/readyz` (it may be given work), `/metrics`.
pub(crate) fn router(health: Arc<dyn Health>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn ready(State(health): State<Arc<dyn Health>>) -> Response {
    match health.unready() {
        None => "ready\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(health): State<Arc<dyn Health>>) -> Response {
    let kind = (
        header::CONTENT_TYPE,
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    ([kind], health.metrics()).into_response()
}
