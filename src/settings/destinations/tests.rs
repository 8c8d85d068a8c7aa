//! Tests of the grammar of destinations.

use super::*;
use crate::simulate::latency::Latency;

#[test]
fn reads_services_and_queues() {
    let text = "http://catalog.spin.internal;p=30, http://billing.spin.internal;queue=orders;system=rabbitmq;\
        delay=p50:20ms,p99:2s;errors=Timeout:1,NotLeader:2;redeliver=3;dead_letter=orders-dlq;\
        correlation=child;p=60,http://other:8080,;queue=audit";
    let found = destinations(text, Host::Spin).unwrap();
    let urls: Vec<_> = found.downstreams.iter().map(Downstream::redacted).collect();
    assert_eq!(
        urls,
        [
            "http://catalog.spin.internal/process",
            "http://other:8080/process"
        ]
    );
    let [orders, audit] = &found.queues.0[..] else {
        panic!("{:?}", found.queues);
    };
    assert_eq!(
        (
            &orders.name[..],
            orders.system,
            orders.batch,
            orders.redeliver,
            orders.percent
        ),
        ("orders", "rabbitmq", 1, 3, 60.0)
    );
    assert_eq!(
        orders.behavior.latency,
        Latency::parse("p50:20ms,p99:2s").unwrap()
    );
    assert_eq!(orders.behavior.errors.sample(0.02), Some("NotLeader"));
    assert_eq!(orders.dead_letter.as_deref(), Some("orders-dlq"));
    assert_eq!(orders.correlation, Correlation::Child);
    assert_eq!(
        orders.consumers[0].url(),
        "http://billing.spin.internal/deliver"
    );
    assert_eq!(
        (audit.system, audit.batch, audit.consumers.len()),
        ("kafka", 1, 0)
    );
}

#[test]
fn entries_with_the_same_queue_are_its_consumers() {
    let text = "http://a.spin.internal;queue=q,http://b.spin.internal/;queue=q,;queue=dead, ,";
    let Queues(queues) = destinations(text, Host::Spin).unwrap().queues;
    let consumers: Vec<_> = queues[0].consumers.iter().map(Target::redacted).collect();
    assert_eq!(
        consumers,
        [
            "http://a.spin.internal/deliver",
            "http://b.spin.internal/deliver"
        ]
    );
}

#[test]
fn dead_letters_are_published_by_nobody_else() {
    let queues = destinations(";queue=q;dead_letter=dead,;queue=dead", Host::Spin)
        .unwrap()
        .queues;
    let published: Vec<_> = queues
        .published()
        .map(|(at, queue)| (at, &queue.name[..]))
        .collect();
    assert_eq!(published, [(0, "q")]);
    assert_eq!(queues.dead_letter_of(&queues.0[0]), Some(&queues.0[1]));
}

#[test]
fn refuses_what_is_malformed() {
    let table = [
        (";queue=", "'' is not a name such as carts-db"),
        (";queue=a b", "'a b' is not a name such as carts-db"),
        (
            ";queue=q;queue=r",
            "'queue' is there 2 times in ';queue=q;queue=r'",
        ),
        (
            ";queue=q;system=mqtt",
            "'system' of 'q': 'mqtt' is not one of activemq, ",
        ),
        (
            ";queue=q;delay=soon",
            "'delay' of 'q': 'soon' is not a number of milliseconds",
        ),
        (
            ";queue=q;errors=no way:1",
            "'errors' of 'q': 'no way:1' is not a pair type:percent",
        ),
        (
            ";queue=q;incidents=x",
            "'incidents' of 'q': 'x' is not an incident",
        ),
        (
            ";queue=q;batch=0",
            "'batch' of 'q': '0' is not a whole number from 1 to 1000",
        ),
        (
            ";queue=q;redeliver=21",
            "'redeliver' of 'q': '21' is not a whole number from 0 to 20",
        ),
        (
            ";queue=q;correlation=both",
            "'correlation' of 'q': 'both' is not one of link, child",
        ),
        (
            ";queue=q;dead_letter=q",
            "'dead_letter' of 'q': a queue is not its own",
        ),
        (
            ";queue=q;p=101",
            "'p' of 'q': '101' is not a percentage from 0 to 100",
        ),
        (";queue=q;x=1", "'x' of 'q' is not one of system, delay, "),
        (";queue=q;batch=2;batch=2", "'batch' of 'q' is there twice"),
        (
            ";queue=q;batch=2,http://a.spin.internal;queue=q",
            "'q' has other keys than in an entry before",
        ),
        (
            "http://a.spin.internal;queue=q,http://a.spin.internal/;queue=q",
            "'http://a.spin.internal/' consumes 'q' twice",
        ),
        (
            "http://a:3000;queue=q",
            "'http://a:3000' is not a component of the same app, such as http://billing.spin.internal",
        ),
        (
            "http://a.spin.internal/x;queue=q",
            "'http://a.spin.internal/x' is not a component of the same app",
        ),
        (
            ";queue=q;dead_letter=d,;queue=d;dead_letter=e",
            "'dead_letter' of 'd': 'd' gets dead letters itself",
        ),
        (
            ";queue=q;dead_letter=d,;queue=d;system=jms",
            "'dead_letter' of 'q': that queue has another system",
        ),
    ];
    for (text, expected) in table {
        let problem = destinations(text, Host::Spin).unwrap_err();
        assert!(problem.starts_with(expected), "{text}: {problem}");
    }
}

#[test]
fn shows_nothing_of_a_list_with_credentials() {
    for text in [
        "http://u:p@b,;queue=secret word",
        "http://u:secret,;queue=x@b",
        "http://u:p@b,http://c.spin.internal;queue=secret word",
    ] {
        let problem = destinations(text, Host::Spin).unwrap_err();
        assert!(!problem.contains("secret"), "{text}: {problem}");
    }
}
