//! Tests of the grammar of leaves and steps.

use super::*;
use crate::simulate::latency::Latency;

const BYTES: usize = 262_144;

#[test]
fn splits_entries_at_commas_and_line_breaks_but_not_within_values() {
    let table = [
        ("", vec![]),
        ("a;x=1,b;y=2", vec!["a;x=1", "b;y=2"]),
        ("a;x=1\nb", vec!["a;x=1", "b"]),
        ("a;errors=1:2,3:4;p=5,b", vec!["a;errors=1:2,3:4;p=5", "b"]),
        (
            "a;incidents=every=5m,for=30s,errors=50;p=5",
            vec!["a;incidents=every=5m,for=30s,errors=50;p=5"],
        ),
        (",a,\n ,b,", vec!["a", "b"]),
    ];
    for (text, expected) in table {
        assert_eq!(entries(text), expected, "{text}");
    }
}

#[test]
fn reads_a_leaf() {
    let text = " carts-db ; system = postgresql;operation=UPDATE;collection=carts;namespace=shop;\
                latency=p50:1ms,p99:20ms;errors=40001:1,40P01:0.5;calls=1..40;p=60;fanout=parallel,\
                cache;system=redis";
    let leaves = uses(text).unwrap();
    assert_eq!(leaves.len(), 2);
    let carts = &leaves[0];
    assert_eq!(carts.name, "carts-db");
    assert_eq!(
        (carts.calls, carts.percent, carts.is_parallel),
        ((1, 40), 60.0, true)
    );
    assert_eq!(
        carts.behavior.latency,
        Latency::parse("p50:1ms,p99:20ms").unwrap()
    );
    assert_eq!(carts.behavior.errors.sample(0.012), Some("40P01"));
    let ActivityKind::Leaf(leaf) = &carts.kind else {
        panic!("{carts:?}");
    };
    assert_eq!(
        (leaf.system.name, &leaf.operation[..]),
        ("postgresql", "UPDATE")
    );
    assert_eq!(leaf.collection.as_deref(), Some("carts"));
    assert_eq!(leaf.namespace.as_deref(), Some("shop"));
    assert_eq!((leaves[1].calls, leaves[1].percent), ((1, 1), 100.0));
    assert_eq!(leaves[1].behavior.errors.sample(0.0), None);
}

#[test]
fn puts_steps_inside_each_other() {
    let text = "parse;attributes=200x1KB,search;latency=1ms,rank;in=search;calls=3,score;in=rank;events=50,trim;in=search";
    let steps = work(text, BYTES).unwrap();
    fn tree(steps: &[Activity]) -> String {
        let each = steps
            .iter()
            .map(|step| format!("{}({})", step.name, tree(&step.children)));
        each.collect::<Vec<_>>().join(" ")
    }
    assert_eq!(tree(&steps), "parse() search(rank(score()) trim())");
    let filler = Filler {
        attributes: 200,
        attribute_bytes: 1024,
        events: 0,
    };
    assert_eq!(steps[0].kind, ActivityKind::Step(filler));
    assert_eq!(
        crate::simulate::activity::max_spans(&steps),
        1 + 1 + 3 * 2 + 1
    );
}

#[test]
fn names_what_it_refuses() {
    let table = [
        (
            "a",
            "'system' of 'a': '' is not one of postgresql, mysql, mongodb, redis, elasticsearch, grpc, http",
        ),
        (
            "a;system=oracle",
            "'system' of 'a': 'oracle' is not one of postgresql, mysql, mongodb, redis, elasticsearch, grpc, http",
        ),
        (
            "a b;system=redis",
            "'a b' is not a name such as carts-db: up to 64 letters, digits, '.', '_' and '-'",
        ),
        (
            "a;system=redis;colour=red",
            "'colour' of 'a' is not one of system, operation, collection, namespace, latency, errors, incidents, calls, p, fanout",
        ),
        ("a;system=redis;p=5;p=6", "'p' of 'a' is there twice"),
        ("a;system=redis;p", "'p' of 'a' has no value"),
        ("a;system=redis,a;system=redis", "'a' is there twice"),
        (
            "a;system=redis;calls=5..1",
            "'calls' of 'a': '5..1' is not a whole number such as 3, or a range such as 1..40, up to 10000",
        ),
        (
            "a;system=redis;calls=10001",
            "'calls' of 'a': '10001' is not a whole number such as 3, or a range such as 1..40, up to 10000",
        ),
        (
            "a;system=redis;p=101",
            "'p' of 'a': '101' is not a percentage from 0 to 100",
        ),
        (
            "a;system=redis;fanout=both",
            "'fanout' of 'a': 'both' is not one of sequential, parallel",
        ),
        (
            "a;system=postgresql;errors=503:1",
            "'errors' of 'a': '503:1' is not a pair SQLSTATE:percent such as 40001:1, with five digits and capitals, of class 02 or higher",
        ),
        (
            "a;system=grpc;errors=OK:1",
            "'errors' of 'a': 'OK:1' is not a pair code:percent such as UNAVAILABLE:1, with the name of a gRPC status other than OK",
        ),
        (
            "a;system=http;operation=BREW",
            "'operation' of 'a': 'BREW' is not one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, QUERY",
        ),
        (
            "a;system=mysql;collection=t WHERE id = 'x'",
            "'collection' of 'a': 't WHERE id = 'x'' is not a word of up to 128 letters, digits, '.', '_', '-', '/' and '$'",
        ),
    ];
    for (text, problem) in table {
        assert_eq!(uses(text), Err(problem.to_owned()), "{text}");
    }
    let table = [
        (
            "a;in=b",
            "'in' of 'a': 'b' is not one of the steps before it",
        ),
        (
            "a;in=a",
            "'in' of 'a': 'a' is not one of the steps before it",
        ),
        (
            "a;attributes=x5",
            "'attributes' of 'a': 'x5' is not a number of attributes such as 200, or with a size such as 200x1KB or 200x64, each up to 10000",
        ),
        (
            "a;attributes=300x1KB",
            "'attributes' of 'a': with its events a span would have 321600 bytes, and APP_MAX_SPAN_BYTES is 262144",
        ),
        (
            "a;events=10000",
            "'attributes' of 'a': with its events a span would have 480000 bytes, and APP_MAX_SPAN_BYTES is 262144",
        ),
        (
            "a,b;in=a,c;in=b,d;in=c,e;in=d,f;in=e,g;in=f,h;in=g,i;in=h",
            "'in' of 'i': it is deeper than 8 steps",
        ),
        (
            "a;errors=no name:1",
            "'errors' of 'a': 'no name:1' is not a pair type:percent such as TimeoutError:1, with letters, digits, '.', '_' and '-'",
        ),
    ];
    for (text, problem) in table {
        assert_eq!(work(text, BYTES), Err(problem.to_owned()), "{text}");
    }
}
