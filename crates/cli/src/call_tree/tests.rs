//! Tests of the tree of calls.

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use tracing_tail_host::document::Document;

/// The warnings of components with these values of `app_url_destino`; the first takes requests from outside.
fn warned(components: &[(&str, &str)]) -> Vec<String> {
    let mut text = "spin_manifest_version = 2\napplication = { name = \"x\" }\n".to_owned();
    for (at, (id, destino)) in components.iter().enumerate() {
        let route = if at == 0 {
            "\"/...\""
        } else {
            "{ private = true }"
        };
        write!(
            text,
            "[[trigger.http]]\nroute = {route}\ncomponent = \"{id}\"\n[component.{id}]\nsource = \"x\"\n\
             variables = {{ app_url_destino = \"{destino}\", app_max_hops = \"64\" }}\n"
        )
        .unwrap();
    }
    let manifest = Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap();
    let variables = Variables::resolve(&manifest, &[]).unwrap();
    warnings(&manifest, &variables, "127.0.0.1:3000".parse().unwrap())
}

/// Layers of components, each of which calls all of the next.
fn layers(count: usize, width: usize) -> Vec<(String, String)> {
    let id = |layer: usize, n: usize| format!("l{layer}-n{n}");
    let mut components = Vec::new();
    for layer in 0..count {
        let next = (0..width).map(|n| format!("http://{}.spin.internal", id(layer + 1, n)));
        let next = if layer + 1 < count {
            next.collect::<Vec<_>>().join(",")
        } else {
            String::new()
        };
        components.extend((0..width).map(|n| (id(layer, n), next.clone())));
    }
    components
}

fn warned_of_layers(count: usize, width: usize) -> Vec<String> {
    let layers = layers(count, width);
    let layers: Vec<_> = layers
        .iter()
        .map(|(id, destino)| (id.as_str(), destino.as_str()))
        .collect();
    warned(&layers)
}

#[test]
fn warns_of_a_request_that_becomes_many() {
    assert_eq!(warned_of_layers(9, 2), Vec::<String>::new(), "511");
    assert_eq!(
        warned_of_layers(14, 2),
        ["one request to l0-n0 becomes 16383, with all that its calls lead to"]
    );
    assert_eq!(
        warned_of_layers(40, 2),
        [
            "one request to l0-n0 becomes 1099511627775, with all that its calls lead to; calls beyond 32768 \
             are not made, and the answer is 508"
        ]
    );
    assert_eq!(
        warned_of_layers(70, 3).len(),
        1,
        "more than a number can hold"
    );
}

#[test]
fn warns_of_a_chain_that_is_too_long() {
    assert_eq!(warned_of_layers(65, 1), Vec::<String>::new());
    assert_eq!(
        warned_of_layers(66, 1),
        [
            "a request to l0-n0 leads to 65 calls in a row, more than APP_MAX_HOPS allows, and is answered 508"
        ]
    );
}

#[test]
fn warns_of_a_cycle_of_calls() {
    let end = "they end with 508, after as many in a row as APP_MAX_HOPS says, or 32768 in all";
    let table = [
        ("http://a.spin.internal", "", "a -> a"),
        ("http://localhost:3000", "", "a -> a"),
        ("http://u:p@127.0.0.1:3000/;p=50", "", "a -> a"),
        (
            "http://b.spin.internal",
            "http://a.spin.internal",
            "a -> b -> a",
        ),
        ("http://b.spin.internal", "http://b.spin.internal", "b -> b"),
    ];
    for (a, b, cycle) in table {
        let expected = format!("the calls of a form a cycle: {cycle}; {end}");
        assert_eq!(warned(&[("a", a), ("b", b)]), [expected], "{a} {b}");
    }
    for elsewhere in [
        "http://localhost:4000",
        "http://example.com:3000",
        "http://a.spin.internal;p=0",
        "nonsense",
    ] {
        assert_eq!(
            warned(&[("a", elsewhere)]),
            Vec::<String>::new(),
            "{elsewhere}"
        );
    }
}

#[test]
fn follows_queues_to_their_consumers() {
    let (a, b) = ("http://a.spin.internal", "http://b.spin.internal");
    let end = "they end after as many in a row as APP_MAX_HOPS says, or 32768 in all";
    let table = [
        (format!("{a};queue=q"), "", "a -> queue q -> a"),
        (
            format!("{b};queue=q;batch=5,;queue=r"),
            a,
            "a -> queue q -> b -> a",
        ),
        (
            format!("http://c.spin.internal;queue=q;dead_letter=dead,{b};queue=dead"),
            "http://a.spin.internal;queue=back;p=1",
            "a -> queue dead -> b -> queue back -> a",
        ),
    ];
    for (of_a, of_b, cycle) in table {
        let expected = format!("the calls and messages of a form a cycle: {cycle}; {end}");
        assert_eq!(warned(&[("a", &of_a), ("b", of_b)]), [expected], "{of_a}");
    }
    for of_a in [
        format!("{b};queue=q"),
        format!("{a};queue=q;p=0"),
        format!("{b};queue=q;p=0;dead_letter=dead,{a};queue=dead"),
        format!(";queue=q;dead_letter=dead,{a};queue=dead"),
        format!("{a};queue=q;nonsense=1"),
    ] {
        assert_eq!(
            warned(&[("a", &of_a), ("b", "")]),
            Vec::<String>::new(),
            "{of_a}"
        );
    }
}

/// A thousand messages at once are a single delivery to each consumer, and so are the tries of a delivery.
#[test]
fn counts_deliveries_to_each_consumer() {
    let ids: Vec<_> = (0..40).map(|n| format!("c{n}")).collect();
    let consumers = |keys: &str| {
        let entries = ids
            .iter()
            .map(|id| format!("http://{id}.spin.internal;queue=q{keys}"));
        entries.collect::<Vec<_>>().join(",")
    };
    let queue = consumers(";batch=1000;redeliver=9;dead_letter=dead");
    let dead = queue.replace("queue=q;", "queue=dead;");
    let dead = dead.replace(";dead_letter=dead", "");
    let deliver = |each: &str| {
        let last = "http://end.spin.internal;queue=end";
        let last = format!("{last},{last}2");
        let mut components = vec![("a", each)];
        components.extend(ids.iter().map(|id| (id.as_str(), last.as_str())));
        components.push(("end", ""));
        warned(&components)
    };
    assert_eq!(deliver(&format!("{queue},{dead}")), Vec::<String>::new());
    let many: Vec<_> = (0..9)
        .map(|n| consumers("").replace("queue=q", &format!("queue=q{n}")))
        .collect();
    assert_eq!(
        deliver(&many.join(",")),
        ["one request to a becomes 1081, with all that its calls lead to"],
        "the request, 9 queues of 40 consumers, and the two deliveries of each"
    );
}
