//! How the smallest values are read, and why others are not.

use super::*;

#[test]
fn durations_are_a_number_and_a_unit() {
    for (text, seconds) in [("10s", 10), ("15m", 900), ("15min", 900), ("8h", 28_800)] {
        assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
    }
    assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
    for text in [
        "",
        "10",
        "s",
        "1.5h",
        "-1s",
        "1 h",
        "1w",
        "99999999999999999999d",
        "é",
    ] {
        assert!(parse_duration(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_listener_is_an_address_with_a_port_and_the_fault_is_named() {
    for text in ["0.0.0.0:443", "[::]:443", "127.0.0.1:0"] {
        let read = text.parse::<Listener>().map(|it| it.0.to_string());
        assert_eq!(read.as_deref(), Ok(text));
    }
    for (text, why) in [
        ("0.0.0.0:70000", "a port is at most 65535"),
        ("localhost:70000", "a port is at most 65535"),
        ("0.0.0.0", "the port is missing"),
        ("::1", "the port is missing"),
        ("0.0.0.0:", "the port is missing"),
        ("0.0.0.0:https", "the port is missing"),
        ("", "the port is missing"),
        ("443", "the address before the port is missing"),
        (":443", "the address before the port is missing"),
        (
            "localhost:443",
            "an IP address is wanted before the port, IPv6 in square brackets",
        ),
        (
            "fe80::x:443",
            "an IP address is wanted before the port, IPv6 in square brackets",
        ),
    ] {
        let error = text.parse::<Listener>().map_err(|error| error.to_string());
        assert_eq!(error, Err(why.to_owned()), "{text:?}");
    }
}

#[test]
fn rates_colours_and_origins_are_read_or_refused() {
    assert!("600/min".parse::<Rate>().is_ok());
    for text in ["0/s", "600", "600/day", "/s", "-1/s"] {
        assert!(text.parse::<Rate>().is_err(), "{text:?}");
    }
    assert!("#1f4fa3".parse::<Accent>().is_ok());
    for text in ["1f4fa3", "#fff", "#gggggg", "#éa1b2", "red"] {
        assert!(text.parse::<Accent>().is_err(), "{text:?}");
    }
    let origin = |text: &str| {
        text.parse::<Origin>()
            .map(|origin| origin.as_str().to_owned())
    };
    assert_eq!(
        origin("https://A.example:443").as_deref(),
        Ok("https://a.example")
    );
    assert_eq!(
        origin("http://a.example:8080").as_deref(),
        Ok("http://a.example:8080")
    );
    for text in [
        "null",
        "*",
        "https://a/",
        "https://a/b",
        "https://u@a",
        "ws://a",
        "a.example",
    ] {
        assert!(origin(text).is_err(), "{text:?}");
    }
}
