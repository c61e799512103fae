//! Tests of what `/metrics` tells.

use std::time::Duration;

use http::StatusCode;

use super::*;

#[test]
fn answers_are_counted_by_route_and_class_and_in_flight_falls_back_to_zero() {
    let metrics = Metrics::new();
    let route = metrics.route(Some(&"paie".parse().unwrap()));
    let guard = route.begin();
    assert!(
        metrics
            .text()
            .contains("octroi_requests_in_flight{route=\"paie\"} 1")
    );
    route.answered(Some(StatusCode::OK), Duration::from_millis(3));
    route.answered(Some(StatusCode::BAD_GATEWAY), Duration::from_millis(3));
    route.answered(None, Duration::from_millis(3));
    drop(guard);
    let text = metrics.text();
    for line in [
        "octroi_requests_total{route=\"paie\",status=\"2xx\"} 1",
        "octroi_requests_total{route=\"paie\",status=\"5xx\"} 2",
        "octroi_requests_in_flight{route=\"paie\"} 0",
        "octroi_request_duration_seconds_count{route=\"paie\"} 3",
        "octroi_request_duration_seconds_bucket{le=\"0.005\",route=\"paie\"} 3",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}

#[test]
fn durations_fall_into_the_class_that_they_end_in_and_into_every_longer_one() {
    let metrics = Metrics::new();
    let route = metrics.route(None);
    for millis in [1, 25, 26, 60_000, 60_001] {
        route.answered(Some(StatusCode::OK), Duration::from_millis(millis));
    }
    let text = metrics.text();
    for line in [
        "octroi_request_duration_seconds_bucket{le=\"0.001\",route=\"-\"} 1",
        "octroi_request_duration_seconds_bucket{le=\"0.01\",route=\"-\"} 1",
        "octroi_request_duration_seconds_bucket{le=\"0.025\",route=\"-\"} 2",
        "octroi_request_duration_seconds_bucket{le=\"0.1\",route=\"-\"} 3",
        "octroi_request_duration_seconds_bucket{le=\"60.0\",route=\"-\"} 4",
        "octroi_request_duration_seconds_bucket{le=\"+Inf\",route=\"-\"} 5",
        "octroi_request_duration_seconds_count{route=\"-\"} 5",
        "octroi_request_duration_seconds_sum{route=\"-\"} 120.053",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}

#[test]
fn the_same_route_after_a_reload_goes_on_counting() {
    let metrics = Metrics::new();
    for _ in 0..2 {
        let route = metrics.route(None);
        route.answered(Some(StatusCode::NOT_FOUND), Duration::ZERO);
    }
    metrics.refused("no_route");
    let text = metrics.text();
    assert!(
        text.contains("octroi_requests_total{route=\"-\",status=\"4xx\"} 2"),
        "{text}"
    );
    assert!(
        text.contains("octroi_refusals_total{reason=\"no_route\"} 1"),
        "{text}"
    );
}
