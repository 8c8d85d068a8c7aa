//! Tests of queues in topologies.

use super::super::calls::longest_chain;
use super::super::{Topology, graph};
use anyhow::Result;
use tracing_tail_host::document::Document;

const SHOP: &str = r#"[services.front]
entry = true
calls = ["checkout;p=30"]
[services.checkout]
publishes = ["orders", "audit;p=12.5"]
[services.billing]
calls = ["ledger"]
[services.ledger]
[services.shipping]
[queues.orders]
consumers = ["billing", "shipping"]
system = "rabbitmq"
delay = "p50:20ms,p99:2s"
errors = "Timeout:1,Full:2"
batch = 5
redeliver = 3
dead_letter = "orders-dlq"
[queues.orders-dlq]
consumers = ["ledger"]
system = "rabbitmq"
[queues.audit]
system = "aws_sqs"
"#;

fn parse(text: &str) -> Result<Topology> {
    Topology::parse(Document::new("shop.toml", text), "shop")
}

#[test]
fn a_publisher_has_entries_for_each_consumer_and_for_dead_letters() {
    let shop = parse(SHOP).unwrap();
    let destinations = |id: &str| {
        let mut services = shop.services.iter();
        let service = services.find(|service| service.id.value == id).unwrap();
        shop.destinations(service)
    };
    let keys = "queue=orders;system=rabbitmq;delay=p50:20ms,p99:2s;errors=Timeout:1,Full:2;batch=5;redeliver=3;\
                dead_letter=orders-dlq";
    assert_eq!(
        destinations("checkout"),
        format!(
            "http://billing.spin.internal;{keys},http://shipping.spin.internal;{keys},\
             ;queue=audit;system=aws_sqs;p=12.5,http://ledger.spin.internal;queue=orders-dlq;system=rabbitmq"
        )
    );
    assert_eq!(
        destinations("front"),
        "http://checkout.spin.internal;p=30",
        "consumers are the publisher's matter"
    );
    assert_eq!(destinations("billing"), "http://ledger.spin.internal");
}

#[test]
fn two_queues_may_share_one_for_their_dead_letters() {
    let text = "[services.a]\nentry = true\npublishes = [\"q\", \"r;p=5\"]\n[queues.q]\ndead_letter = \"dead\"\n\
                [queues.r]\ndead_letter = \"dead\"\n[queues.dead]\n";
    let topology = parse(text).unwrap();
    assert_eq!(
        topology.destinations(&topology.services[0]),
        ";queue=q;dead_letter=dead,;queue=r;dead_letter=dead;p=5,;queue=dead"
    );
}

/// Each row changes one line of [`SHOP`], and the error names the line that is wrong.
#[test]
fn names_what_it_refuses_and_its_line() {
    let queues = "there is no such queue; there are orders, orders-dlq, audit";
    let services = "there is no such service; there are front, checkout, billing, ledger, shipping";
    let no_publication = "is no publication: write the queue's name, and after it ;p=30 to publish for 30 % of requests";
    let ends = "has a ';', '@', '://' or line break, which would end the value";
    let table = [
        ("\"orders\", ", "\"ordrs\", ", format!("5: service 'checkout' publishes to 'ordrs', and {queues}")),
        ("\"orders\", ", "\"orders\", \"orders\", ", "5: service 'checkout' publishes to 'orders' twice".to_owned()),
        ("\"orders\", ", "\"orders-dlq\", ", "5: service 'checkout' publishes to 'orders-dlq', which gets the dead letters of 'orders' and nothing else".to_owned()),
        ("audit;p=12.5", "audit;q=1", format!("5: 'audit;q=1' {no_publication}")),
        ("audit;p=12.5", "audit;p=1,2", format!("5: 'audit;p=1,2' {no_publication}")),
        ("audit;p=12.5", "audit;p=101", "5: 'p' of 'audit': '101' is not a percentage from 0 to 100".to_owned()),
        ("\"audit;p=12.5\"", "3", "5: 'publishes' of service 'checkout' is of type integer, not a string".to_owned()),
        ("\"billing\", ", "\"biling\", ", format!("11: queue 'orders' has the consumer 'biling', and {services}")),
        ("\"billing\", ", "\"shipping\", ", "11: service 'shipping' consumes queue 'orders' twice".to_owned()),
        ("\"rabbitmq\"", "\"mqtt\"", "12: 'system' of 'orders': 'mqtt' is not one of activemq, aws.sns, aws_sqs, eventgrid, eventhubs, gcp_pubsub, jms, kafka, pulsar, rabbitmq, rocketmq, servicebus".to_owned()),
        ("batch = 5", "batch = 0", "15: 'batch' of 'orders': '0' is not a whole number from 1 to 1000".to_owned()),
        ("batch = 5", "batch = \"\"", "15: 'batch' of 'orders' has no value".to_owned()),
        ("batch = 5", "batch = true", "15: 'batch' of queue 'orders' is of type boolean, not a string or a number".to_owned()),
        ("batch = 5", "p = 5", "15: queue 'orders' has 'p', which is no key there; the keys are consumers, system, delay, errors, incidents, batch, redeliver, dead_letter, correlation".to_owned()),
        ("dead_letter = \"orders-dlq\"\n", "correlation = \"child\"\n", "17: 'correlation' of 'orders': with a batch only links are allowed".to_owned()),
        ("batch = 5", "correlation = \"both\"", "15: 'correlation' of 'orders': 'both' is not one of link, child".to_owned()),
        ("p99:2s", "p99:2s,http://a", format!("13: 'delay' of queue 'orders' {ends}")),
        ("p99:2s", "p99:2s,;queue=x", format!("13: 'delay' of queue 'orders' {ends}")),
        ("Full:2", "a@b:2", format!("14: 'errors' of queue 'orders' {ends}")),
        ("\"orders-dlq\"\n", "\"dlq\"\n", format!("17: 'dead_letter' of queue 'orders' is 'dlq', and {queues}")),
        ("\"orders-dlq\"\n", "\"orders\"\n", "17: 'dead_letter' of 'orders': a queue is not its own".to_owned()),
        ("dead_letter = \"orders-dlq\"\n", "", "17: no service publishes to queue 'orders-dlq', and it is no queue's dead_letter".to_owned()),
        ("system = \"rabbitmq\"\n[queues.audit]", "system = \"rabbitmq\"\ndead_letter = \"audit\"\n[queues.audit]", "21: 'dead_letter' of queue 'orders-dlq': it gets the dead letters of 'orders', and has none of its own".to_owned()),
        ("system = \"rabbitmq\"\n[queues.audit]", "[queues.audit]", "17: 'dead_letter' of queue 'orders' has the system kafka, and the queue itself rabbitmq; write the same for both".to_owned()),
        ("[queues.audit]", "[queues.\"my audit\"]", "21: 'my audit' is no queue name: up to 64 letters, digits, '.', '_' and '-', such as orders-dlq".to_owned()),
        ("[queues.audit]", "[queues]\naudit = 1\n[queues.x]", "22: 'audit' of 'queues' is of type integer, not a table".to_owned()),
        ("[services.shipping]", "[services.shipping]\ncalls = [\"front\"]", "10: the calls and queues form a cycle: front -> checkout -> queue orders -> shipping -> front".to_owned()),
        ("[services.shipping]", "[services.shipping]\npublishes = [\"orders\"]", "10: the calls and queues form a cycle: shipping -> queue orders -> shipping".to_owned()),
        ("[services.ledger]", "[services.ledger]\ncalls = [\"checkout\"]", "9: the calls and queues form a cycle".to_owned()),
    ];
    for (line, replacement, problem) in table {
        assert!(SHOP.contains(line), "{line}");
        let error = parse(&SHOP.replacen(line, replacement, 1)).expect_err(replacement);
        let (error, problem) = (error.to_string(), format!("shop.toml:{problem}"));
        assert!(error.starts_with(&problem), "{error}\n{problem}");
    }
    let none = "[services.a]\nentry = true\npublishes = [\"q\"]\n";
    assert_eq!(
        parse(none).unwrap_err().to_string(),
        "shop.toml:3: service 'a' publishes to 'q', and there is no such queue; there are none"
    );
}

/// A cycle by dead letters is one too.
#[test]
fn dead_letters_lead_to_their_consumers() {
    let text = SHOP.replace("calls = [\"ledger\"]", "");
    let text = text.replace(
        "[services.ledger]",
        "[services.ledger]\npublishes = [\"orders\"]",
    );
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.contains("queue orders-dlq -> ledger"), "{error}");
}

/// A message is a hop, and a dead letter another one, which the consumer makes.
#[test]
fn queues_count_as_hops() {
    let hops = |text: &str| {
        let topology = parse(text).unwrap();
        longest_chain(&topology.services, &topology.queues)
    };
    let by_dead_letter = SHOP.replace("calls = [\"ledger\"]", "");
    let unconsumed = SHOP.replace("[\"billing\", \"shipping\"]", "[]");
    let table = [
        (SHOP, 3, "front, checkout, billing, ledger"),
        (
            &by_dead_letter,
            3,
            "front, checkout, billing or shipping, ledger",
        ),
        (
            &unconsumed,
            1,
            "what nobody consumes is no dead letter either",
        ),
    ];
    for (text, expected, reason) in table {
        assert_eq!(hops(text), expected, "{reason}");
    }
}

#[test]
fn faults_of_the_traffic_may_name_queues() {
    let traffic = "[traffic]\n[[traffic.mix]]\nbaggage = \"tail.orders.errors=100\"\n";
    assert!(parse(&format!("{SHOP}{traffic}")).is_ok());
    let unknown = traffic.replace("orders", "ordrs");
    assert!(parse(&format!("{SHOP}{unknown}")).is_err());
}

#[test]
fn draws_queues_and_leaves() {
    let leaves = r#"[services.ledger]
[services.ledger.uses.orders-db]
system = "postgresql"
calls = "1..40"
[services.ledger.uses.rates]
system = "http"
p = 60
[services.ledger.work.sum]
[services.shipping.uses.orders-db]
system = "postgresql"
"#;
    let shop = SHOP.replacen("[services.ledger]\n", leaves, 1);
    assert_eq!(
        graph(&parse(&shop).unwrap()),
        r#"flowchart LR
    FRONT(["front"])
    CHECKOUT["checkout"]
    BILLING["billing"]
    LEDGER["ledger"]
    SHIPPING["shipping"]
    queue1[["orders<br/>rabbitmq<br/>p50:20ms,p99:2s<br/>errors Timeout:1,Full:2<br/>batches of 5"]]
    queue2[["orders-dlq<br/>rabbitmq"]]
    queue3[["audit<br/>aws_sqs"]]
    leaf1[("orders-db<br/>postgresql")]
    leaf2{{"rates<br/>http"}}
    FRONT -->|"30 %"| CHECKOUT
    CHECKOUT -.-> queue1
    CHECKOUT -.->|"12.5 %"| queue3
    BILLING --> LEDGER
    LEDGER -->|"1..40 times"| leaf1
    LEDGER -->|"60 %"| leaf2
    SHIPPING --> leaf1
    queue1 -.-> BILLING
    queue1 -.-> SHIPPING
    queue1 -.->|"dead letters"| queue2
    queue2 -.-> LEDGER
"#
    );
}
