//! Counters and gauges, resolved once and not per request.
