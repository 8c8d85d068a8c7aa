use serde_json::json;

use crate::verify::text::tests::faulty;

#[test]
fn has_the_counts_and_the_details() {
    let json = faulty().to_json(1);
    let table = [
        ("/verdict", json!("not_whole")),
        ("/exit_status", json!(1)),
        ("/not_judged", json!(null)),
        ("/backend", json!("Jaeger at http://b")),
        ("/not_compared/0", json!("Links have no attributes.")),
        ("/requests", json!(3)),
        ("/reports", json!(2)),
        ("/traces", json!(2)),
        ("/expected", json!(8)),
        ("/found", json!(7)),
        ("/missing", json!(1)),
        ("/twice", json!(0)),
        ("/altered", json!(1)),
        ("/orphans", json!(0)),
        ("/unexpected", json!(0)),
        ("/foreign", json!(0)),
        ("/sampling", json!(null)),
        ("/readable_after_ms/max", json!(1500.0)),
        ("/altered_fields/attribute route", json!(1)),
        ("/details/missing/0/span_id", json!("0000000000000004")),
        ("/details/missing/0/kind", json!("SERVER")),
        ("/details/missing/0/page", json!("http://b/trace/0")),
        (
            "/details/altered/0/differences/1/field",
            json!("attribute route"),
        ),
        ("/details/altered/0/differences/1/found", json!(null)),
        ("/details/twice", json!([])),
    ];
    for (pointer, value) in table {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
    assert_eq!(faulty().to_json(0)["details"]["missing"], json!([]));
}
