use super::*;

fn texts(baggage: &str) -> (Option<String>, Option<String>, Option<String>) {
    let overrides = Overrides::parse(baggage, "payments").unwrap();
    (
        overrides.errors.map(|errors| errors.text),
        overrides.latency.map(|latency| latency.text),
        overrides.seed,
    )
}

#[test]
fn reads_the_overrides_for_this_service() {
    let table = [
        ("", (None, None, None)),
        ("user=1,tail.orders.errors=100", (None, None, None)),
        (
            "tail.payments.errors=503:100",
            (Some("503:100"), None, None),
        ),
        (
            "tail.payments.errors=503:5%2C429:1;p=1, tail.payments.latency=200ms",
            (Some("503:5,429:1"), Some("200ms"), None),
        ),
        ("tail.*.latency=1s", (None, Some("1s"), None)),
        (
            "tail.payments.latency=2s,tail.*.latency=1s",
            (None, Some("2s"), None),
        ),
        (
            "tail.payments.latency=2s,tail.payments.latency=3s",
            (None, Some("3s"), None),
        ),
        ("tail.seed=42", (None, None, Some("42"))),
        ("tail.sampling=yes,tailor.x.errors=abc", (None, None, None)),
    ];
    for (baggage, (errors, latency, seed)) in table {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let expected = (owned(errors), owned(latency), owned(seed));
        assert_eq!(texts(baggage), expected, "{baggage}");
    }
}

#[test]
fn a_name_may_contain_dots_and_be_encoded() {
    for (name, key) in [
        ("shop.eu", "tail.shop.eu"),
        ("my service", "tail.my%20service"),
    ] {
        let baggage = format!("{key}.errors=100");
        let overrides = Overrides::parse(&baggage, name).unwrap();
        assert!(overrides.errors.is_some(), "{name}");
    }
}

#[test]
fn refuses_an_override_that_would_be_lost_for_any_service() {
    let encoded = "it is not a list member: write key=value, with commas, quotes, spaces and what is not ASCII percent-encoded, such as %2C";
    let comma = "the text after its comma is not a list member; in a value, write a comma as %2C";
    let beyond = "only 64 members and 8192 bytes of baggage are passed on, and it is beyond them";
    let (many, much) = ("a=1,".repeat(64), format!("a={},", "x".repeat(8180)));
    let fault = "tail.orders.errors=503:100";
    let table = [
        (
            "tail.orders.errors=503:5,429:1",
            "tail.orders.errors",
            comma,
        ),
        (
            "tail.orders.latency=p50:1ms, p90:2ms",
            "tail.orders.latency",
            comma,
        ),
        ("tail.seed=1,2", "tail.seed", comma),
        (
            "tail.orders.errors=\"503:100\"",
            "tail.orders.errors",
            encoded,
        ),
        (
            "tail.orders.errors=\"503:5,429:1\"",
            "tail.orders.errors",
            encoded,
        ),
        (
            "tail.orders.latency=1ms .. 2ms",
            "tail.orders.latency",
            encoded,
        ),
        (
            "tail.my orders.errors=100",
            "tail.my orders.errors",
            encoded,
        ),
        (
            "tail.orders.errors=100\u{fffd}",
            "tail.orders.errors",
            encoded,
        ),
        (
            "a=1,tail.orders.errors=100;a b",
            "tail.orders.errors",
            encoded,
        ),
        ("tail.orders.errors", "tail.orders.errors", encoded),
        (&(many.clone() + fault), "tail.orders.errors", beyond),
        (&(much.clone() + fault), "tail.orders.errors", beyond),
    ];
    for (baggage, key, problem) in table {
        let expected = format!("baggage {key}: {problem}");
        for service in ["orders", "payments"] {
            let parsed = Overrides::parse(baggage, service);
            assert_eq!(parsed, Err(expected.clone()), "{baggage}");
        }
    }
    let accepted = [
        "b c,tail.orders.errors=100",
        "name=\u{fffd},tail.orders.errors=100,, ,a=1,b c",
        &format!("tail.orders.errors=100,{many}b=2"),
        &format!("tail.orders.errors=100,{much}{much}"),
    ];
    for baggage in accepted {
        let overrides = Overrides::parse(baggage, "orders").expect(baggage);
        assert!(overrides.errors.is_some(), "{baggage}");
    }
}

#[test]
fn names_what_is_malformed() {
    let table = [
        (
            "tail.payments.errors=abc",
            "baggage tail.payments.errors: 'abc' is not a percentage from 0 to 100",
        ),
        (
            "tail.payments.errors=100%",
            "baggage tail.payments.errors: '100%' is not a percentage from 0 to 100",
        ),
        (
            "tail.*.error=1",
            "baggage tail.*.error: only errors, latency and telemetry can be overridden",
        ),
    ];
    for (baggage, problem) in table {
        let parsed = Overrides::parse(baggage, "payments");
        assert_eq!(parsed, Err(problem.to_owned()));
        let other = Overrides::parse(&baggage.replace('*', "payments"), "orders");
        let other = other.unwrap();
        let set = (other.errors.is_some(), other.latency.is_some());
        assert_eq!(set, (false, false), "ignored for other services");
    }
    let nobody = Overrides::parse("tail.errors=100", "payments");
    let problem =
        "baggage tail.errors: no service is named; write tail.<service>.errors or tail.*.errors";
    assert_eq!(nobody, Err(problem.to_owned()));
}

fn faults(baggage: &str) -> Result<Option<TelemetryFaults>, String> {
    let overrides = Overrides::parse(baggage, "payments")?;
    Ok(overrides.telemetry_faults.map(|(_, faults)| faults))
}

#[test]
fn reads_faults_of_the_telemetry_with_their_share() {
    let table = [
        ("tail.payments.telemetry=span=lost", "span=lost"),
        (
            "tail.payments.telemetry=span=lost%2Cclock=-2s;p=10",
            "span=lost;p=10,clock=-2s;p=10",
        ),
        (
            "tail.payments.telemetry=span=lost%2Cclock=-2s;a=1; p = 10 ;b",
            "span=lost;p=10,clock=-2s;p=10",
        ),
        (
            "tail.payments.telemetry=span=lost%3Bp=5%2Cclock=-2s;p=10",
            "span=lost;p=5,clock=-2s;p=10",
        ),
        (
            "tail.payments.telemetry=clock=-2s,tail.*.telemetry=span=lost",
            "clock=-2s",
        ),
        ("tail.*.telemetry=span=lost", "span=lost"),
        ("tail.payments.telemetry=,tail.*.telemetry=span=lost", ""),
    ];
    for (baggage, expected) in table {
        let expected = TelemetryFaults::parse(expected).ok();
        assert_eq!(faults(baggage), Ok(expected), "{baggage}");
    }
    assert_eq!(faults("tail.orders.telemetry=nonsense"), Ok(None));
}

#[test]
fn names_what_is_malformed_in_faults_of_the_telemetry() {
    let table = [
        (
            "tail.payments.telemetry=span=gone",
            "baggage tail.payments.telemetry: 'span=gone' is not a fault: one of ",
        ),
        (
            "tail.*.telemetry=span=lost;p=200",
            "baggage tail.*.telemetry: 'p=200' after 'span=lost' is not a share such as p=30",
        ),
        (
            "tail.*.telemetry=span=lost;p",
            "baggage tail.*.telemetry: 'p=' after 'span=lost' is not a share such as p=30",
        ),
        (
            "tail.telemetry=span=lost",
            "baggage tail.telemetry: no service is named; write tail.<service>.telemetry",
        ),
        (
            "tail.orders.telemetry=span=lost,clock=-2 s",
            "baggage tail.orders.telemetry: the text after its comma is not a list member",
        ),
    ];
    for (baggage, expected) in table {
        let problem = faults(baggage).expect_err(baggage);
        assert!(problem.starts_with(expected), "{problem}");
    }
}
