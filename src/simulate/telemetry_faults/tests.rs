use super::*;
use crate::simulate::mesh_path::MeshPath;

fn clock(nanos: i64, steps: bool) -> Fault {
    Fault::Clock { nanos, steps }
}

fn attributes(attributes: usize, attribute_bytes: usize) -> Fault {
    Fault::Attributes(Filler {
        attributes,
        attribute_bytes,
        events: 0,
    })
}

#[test]
fn reads_each_fault_with_its_share() {
    let late = Fault::Export(ExportFault::Late(Duration::from_secs(30)));
    type Faults<'f> = Vec<(Fault, &'f str, f64)>;
    let table: [(&str, Faults<'_>); 13] = [
        ("", vec![]),
        (" ", vec![]),
        (
            "span=lost",
            vec![(Fault::Span(SpanFault::Lost), "span=lost", 100.0)],
        ),
        (
            "span=twice;p=0",
            vec![(Fault::Span(SpanFault::Twice), "span=twice", 0.0)],
        ),
        (
            " context=new ; p=12.5 , clock=-2s ",
            vec![
                (Fault::Context(ContextFault::New), "context=new", 12.5),
                (clock(-2_000_000_000, false), "clock=-2s", 100.0),
            ],
        ),
        (
            "clock=+150ms",
            vec![(clock(150_000_000, false), "clock=+150ms", 100.0)],
        ),
        (
            "clock=step:-5s",
            vec![(clock(-5_000_000_000, true), "clock=step:-5s", 100.0)],
        ),
        (
            "clock=-1h",
            vec![(clock(-3_600_000_000_000, false), "clock=-1h", 100.0)],
        ),
        ("export=late:30s", vec![(late, "export=late:30s", 100.0)]),
        (
            "attributes=200x1KB",
            vec![(attributes(200, 1024), "attributes=200x1KB", 100.0)],
        ),
        (
            "attributes=3",
            vec![(attributes(3, 16), "attributes=3", 100.0)],
        ),
        (
            "end=before-start,trace=reused",
            vec![
                (Fault::EndBeforeStart, "end=before-start", 100.0),
                (Fault::ReusedTrace, "trace=reused", 100.0),
            ],
        ),
        (
            "name=cardinality,status=ok-over-error",
            vec![
                (Fault::NameCardinality, "name=cardinality", 100.0),
                (Fault::OkOverError, "status=ok-over-error", 100.0),
            ],
        ),
    ];
    for (text, expected) in table {
        let read = TelemetryFaults::parse(text).unwrap();
        let read: Vec<_> = read
            .0
            .iter()
            .map(|(it, p)| (it.fault, &*it.text, *p))
            .collect();
        assert_eq!(read, expected, "{text}");
    }
    for (text, fault) in NAMED {
        let read = TelemetryFaults::parse(text).unwrap();
        assert_eq!(read.0[0].0.fault, fault, "{text}");
    }
}

#[test]
fn names_what_is_malformed_and_what_is_accepted() {
    let fault = |text: &str| format!("'{text}' is not a fault: {ACCEPTED}");
    let share = |share, fault| {
        format!("'{share}' after '{fault}' is not a share such as p=30, from 0 to 100 percent")
    };
    let table = [
        ("lost", fault("lost"), "no key"),
        ("span=gone", fault("span=gone"), "an unknown value"),
        ("spam=lost", fault("spam=lost"), "an unknown key"),
        ("span=lost,", fault(""), "nothing after a comma"),
        ("clock=2s", fault("clock=2s"), "no sign"),
        ("clock=-0s", fault("clock=-0s"), "no shift"),
        ("clock=-61m", fault("clock=-61m"), "more than an hour"),
        ("clock=step:5s", fault("clock=step:5s"), "a step without a sign"),
        ("clock=--5s", fault("clock=--5s"), "two signs"),
        ("export=late", fault("export=late"), "no time"),
        ("export=late:0s", fault("export=late:0s"), "at once"),
        ("export=late:301s", fault("export=late:301s"), "more than five minutes"),
        (
            "attributes=x",
            "'x' is not a number of attributes such as 200, or with a size such as 200x1KB or 200x64, each up to 10000"
                .to_owned(),
            "the grammar of APP_WORK",
        ),
        ("span=lost;p=101", share("p=101", "span=lost"), "more than all"),
        ("span=lost;q=1", share("q=1", "span=lost"), "another parameter"),
        ("span=lost;p=1;p=2", share("p=1;p=2", "span=lost"), "two shares"),
        (
            "clock=-2s,clock=step:-5s",
            "'clock=step:-5s' is a second fault of the kind clock=".to_owned(),
            "one clock",
        ),
        (
            "export=split,span=lost,export=reversed",
            "'export=reversed' is a second fault of the kind export=".to_owned(),
            "one export",
        ),
    ];
    for (text, problem, reason) in table {
        assert_eq!(TelemetryFaults::parse(text), Err(problem), "{reason}");
    }
}

#[test]
fn attributes_have_the_bound_of_a_span() {
    let faults = TelemetryFaults::parse("span=lost,attributes=200x1KB").unwrap();
    assert!(faults.clone().within(262_144).is_ok());
    let problem =
        "with 'attributes=200x1KB' a span would have 214400 bytes, and APP_MAX_SPAN_BYTES is 1000";
    assert_eq!(faults.within(1000), Err(problem.to_owned()));
}

fn drawn(text: &str, seed: u64) -> Vec<String> {
    let rng = SeededRng::seeded(&[&seed.to_le_bytes()], MeshPath::default());
    let drawn = TelemetryFaults::parse(text).unwrap().draw(rng);
    let mut drawn: Vec<_> = drawn
        .iter()
        .flat_map(DrawnFaults::iter)
        .map(|named| named.text.to_string())
        .collect();
    drawn.sort();
    drawn
}

#[test]
fn the_same_seed_draws_the_same_faults_in_any_order_of_the_list() {
    let (one, other) = (
        "span=lost;p=30,clock=-2s;p=30,context=drop;p=30",
        "context=drop;p=30,span=lost;p=30,clock=-2s;p=30",
    );
    let mut counts = [0; 4];
    for seed in 0..3000 {
        let faults = drawn(one, seed);
        assert_eq!(faults, drawn(other, seed), "{seed}");
        counts[faults.len()] += 1;
    }
    // Each by itself: 0.7³, 3 · 0.3 · 0.7², 3 · 0.3² · 0.7, 0.3³.
    for (count, expected) in counts.into_iter().zip([1029_i32, 1323, 567, 81]) {
        assert!((count - expected).abs() < 80, "{counts:?}");
    }
    assert_eq!(drawn("span=lost;p=0", 1), [""; 0]);
    assert_eq!(drawn("span=lost", 1), ["span=lost"]);
}
