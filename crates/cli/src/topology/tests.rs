use super::*;

const SHOP: &str = r#"
name = "shop"

[services.front]
entry = true
calls = ["cart-db", "stock;p=12.5", "stock"]
latency = "50ms..250ms"
errors = 0.5

[services.cart-db]
calls = ["stock"]
fanout = "parallel"

[services.stock]
retries = 2
latency = 100
errors = "503:5,429:1"
"#;

fn parse(text: &str) -> Result<Topology> {
    Topology::parse(Document::new("shop.toml", text), "unnamed")
}

#[test]
fn reads_a_topology() {
    let shop = parse(SHOP).unwrap();
    assert_eq!(shop.name, "shop");
    let services: Vec<_> = shop
        .services
        .iter()
        .map(|service| {
            (
                service.id.value.as_str(),
                service.entry,
                shop.destinations(service),
                service.get(APP_ERRORS).unwrap_or("-"),
            )
        })
        .collect();
    let (db, stock) = ("http://cart-db.spin.internal", "http://stock.spin.internal");
    assert_eq!(
        services,
        [
            ("front", true, format!("{db},{stock};p=12.5,{stock}"), "0.5"),
            ("cart-db", false, stock.to_owned(), "-"),
            ("stock", false, String::new(), "503:5,429:1"),
        ]
    );
    assert_eq!(
        parse("[services.a]\nentry = true\n").unwrap().name,
        "unnamed"
    );
}

/// Each row changes one line of [`SHOP`], and the error names the line that is wrong.
#[test]
fn names_what_it_refuses_and_its_line() {
    let keys = "which is no key there; the keys are";
    let shape = "is no service name: lower-case words of letters and digits, joined by '-', such as cart-db";
    let formats = "is not one of tracecontext, baggage, b3, b3multi, jaeger, xray, ottrace, none";
    let table = [
        ("name = \"shop\"", "name = 1", "shop.toml:2: 'name' of the file is of type integer, not a string".to_owned()),
        ("name = \"shop\"", "name = \" \"", "shop.toml:2: the name is empty".to_owned()),
        ("name = \"shop\"", "seed = 1", format!("shop.toml:2: the file has 'seed', {keys} name, source, viewer, services, queues, traffic")),
        ("entry = true", "entry = \"/\"", "shop.toml:5: 'entry' of service 'front' is of type string, not true or false".to_owned()),
        ("entry = true", "", "shop.toml:1: the file has no service with 'entry = true'".to_owned()),
        ("entry = true", "entry = true\nlatncy = 5", format!("shop.toml:6: service 'front' has 'latncy', {keys} entry, calls, publishes, fanout, latency, errors, incidents, timeout, retries, propagators, telemetry, uses, work")),
        ("\"stock;p=12.5\"", "\"stok\"", "shop.toml:6: service 'front' calls 'stok', and there is no such service; there are front, cart-db, stock".to_owned()),
        ("\"stock;p=12.5\"", "\"stock;q=1\"", "shop.toml:6: 'stock;q=1' is no call: write the service's name, and after it ;p=30 to call it for 30 % of requests".to_owned()),
        ("\"stock;p=12.5\"", "\"stock;p=1,2\"", "shop.toml:6: 'stock;p=1,2' is no call: write the service's name, and after it ;p=30 to call it for 30 % of requests".to_owned()),
        ("\"stock;p=12.5\"", "3", "shop.toml:6: 'calls' of service 'front' is of type integer, not a string".to_owned()),
        ("errors = 0.5", "errors = 101", "shop.toml:8: 'errors' of service 'front': '101' is not a percentage from 0 to 100".to_owned()),
        ("errors = 0.5", "errors = [1]", "shop.toml:8: 'errors' of service 'front' is of type array, not a string or a number".to_owned()),
        ("retries = 2", "retries = true", "shop.toml:15: 'retries' of service 'stock' is of type boolean, not a string or a number".to_owned()),
        ("retries = 2", "propagators = [\"b3\", \"zipkin\"]", format!("shop.toml:15: 'propagators' of service 'stock': 'zipkin' {formats}")),
        ("retries = 2", "propagators = \"b3,zipkin\"", format!("shop.toml:15: 'propagators' of service 'stock': 'zipkin' {formats}")),
        ("retries = 2", "propagators = [\"b3\", \"none\"]", "shop.toml:15: 'propagators' of service 'stock': 'none' counts only alone".to_owned()),
        ("retries = 2", "propagators = 3", "shop.toml:15: 'propagators' of service 'stock' is of type integer, not an array of strings".to_owned()),
        ("retries = 2", "telemetry = [\"span=lost\", \"clock=-2s;p=x\"]", "shop.toml:15: 'telemetry' of service 'stock': 'p=x' after 'clock=-2s' is not a share such as p=30, from 0 to 100 percent".to_owned()),
        ("retries = 2", "telemetry = [\"span=lost\", \"span=twice\"]", "shop.toml:15: 'telemetry' of service 'stock': 'span=twice' is a second fault of the kind span=".to_owned()),
        ("retries = 2", "telemetry = \"clock=-2s,clock=-1s\"", "shop.toml:15: 'telemetry' of service 'stock': 'clock=-1s' is a second fault of the kind clock=".to_owned()),
        ("retries = 2", "telemetry = 3", "shop.toml:15: 'telemetry' of service 'stock' is of type integer, not an array of strings".to_owned()),
        ("retries = 2", "timeout = 2", "shop.toml:15: 'timeout' of service 'stock': '2' is not a duration such as 5s or 500ms, at most 1h".to_owned()),
        ("calls = [\"stock\"]", "calls = [\"cart-db\"]", "shop.toml:11: the calls form a cycle: cart-db -> cart-db".to_owned()),
        ("retries = 2", "calls = [\"cart-db\"]", "shop.toml:15: the calls form a cycle: cart-db -> stock -> cart-db".to_owned()),
        ("retries = 2", "calls = [\"front\"]", "shop.toml:15: the calls form a cycle: front -> cart-db -> stock -> front".to_owned()),
        ("[services.stock]", "[services.cart_db]", format!("shop.toml:14: 'cart_db' {shape}")),
        ("[services.stock]", "[services.Stock]", format!("shop.toml:14: 'Stock' {shape}")),
        ("[services.stock]", "[services.7up]", format!("shop.toml:14: '7up' {shape}")),
        ("[services.stock]", "[services.cart-db]", "shop.toml:14: duplicate key".to_owned()),
        ("[services.cart-db]", "[services.exporter-otlp]\n[services.cart-db]", "shop.toml:10: service 'exporter-otlp' needs the variable 'exporter_otlp_timeout', which is OTEL_EXPORTER_OTLP_TIMEOUT of all services; choose another name".to_owned()),
        ("[services.stock]", "[services.tracing-tail-viewer]\n[services.stock]", "shop.toml:14: service 'tracing-tail-viewer' would have the component of the trace viewer; choose another name, or write viewer = false".to_owned()),
        ("[services.stock]", "[services.v1]\nentry = true\n[services.stock]", "shop.toml:14: service 'v1' would have the route of the trace viewer; choose another name, or write viewer = false".to_owned()),
        ("name = \"shop\"", "viewer = \"no\"", "shop.toml:2: 'viewer' of the file is of type string, not true or false".to_owned()),
        ("[services.stock]", "[services]\nstock = 1\n[services.stck]", "shop.toml:15: 'stock' of 'services' is of type integer, not a table".to_owned()),
    ];
    for (line, replacement, problem) in table {
        assert!(SHOP.contains(line), "{line}");
        let error = parse(&SHOP.replacen(line, replacement, 1)).expect_err(replacement);
        assert_eq!(error.to_string(), problem);
    }
    let uses = "latency = \"1ms\"\nsystem = \"redis\"";
    let leaves = "[services.a]\nentry = true\n[services.a.uses.db]\n".to_owned() + uses + "\n";
    let table = [
        (
            "latency = \"1ms\"",
            "latency = \"1ms;p=5\"",
            "shop.toml:4: 'latency' of leaf 'db' has a ';' or a line break, which separate keys and entries",
        ),
        (
            "latency",
            "colour",
            "shop.toml:4: leaf 'db' has 'colour', which is no key there; the keys are system, operation, collection, namespace, latency, errors, incidents, calls, p, fanout",
        ),
        (
            "redis",
            "oracle",
            "shop.toml:3: 'uses' of service 'a': 'system' of 'db': 'oracle' is not one of postgresql, mysql, mongodb, redis, elasticsearch, grpc, http",
        ),
        (
            "[services.a.uses.db]",
            "[services.a.work.b]\nin = \"c\"\n[services.a.uses.db]",
            "shop.toml:3: 'work' of service 'a': 'in' of 'b': 'c' is not one of the steps before it",
        ),
    ];
    for (line, replacement, problem) in table {
        let error = parse(&leaves.replacen(line, replacement, 1)).expect_err(replacement);
        assert_eq!(error.to_string(), problem);
    }
    let error = parse("[service.a]\n").unwrap_err().to_string();
    assert_eq!(error, "shop.toml:1: the file has no [services.<name>]");
}

#[test]
fn leaves_and_steps_become_settings() {
    let text = r#"
[services.a]
entry = true
[services.a.uses.carts-db]
system = "postgresql"
collection = "carts"
errors = "40001:1,40P01:0.5"
calls = 3
[services.a.uses.cache]
system = "redis"
[services.a.work.search]
latency = "p50:1ms,p99:9ms"
[services.a.work.rank]
in = "search"
attributes = "200x1KB"
"#;
    let topology = parse(text).unwrap();
    let service = &topology.services[0];
    assert_eq!(
        service.get(APP_USES),
        Some(
            "carts-db;system=postgresql;collection=carts;errors=40001:1,40P01:0.5;calls=3,cache;system=redis"
        )
    );
    assert_eq!(
        service.get(APP_WORK),
        Some("search;latency=p50:1ms,p99:9ms,rank;in=search;attributes=200x1KB")
    );
}

#[test]
fn faults_of_the_telemetry_become_a_setting() {
    for (value, expected) in [
        (
            r#"["span=lost;p=10", "clock=-2s"]"#,
            "span=lost;p=10,clock=-2s",
        ),
        (r#""span=lost, clock=-2s""#, "span=lost, clock=-2s"),
    ] {
        let text = format!("[services.a]\nentry = true\ntelemetry = {value}\n");
        let topology = parse(&text).unwrap();
        let found = topology.services[0].get(APP_TELEMETRY_FAULTS);
        assert_eq!(found, Some(expected));
    }
}

#[test]
fn draws_a_flowchart() {
    assert_eq!(
        graph(&parse(SHOP).unwrap()),
        r#"flowchart LR
    FRONT(["front<br/>50ms..250ms<br/>errors 0.5"])
    CART_DB["cart-db"]
    STOCK["stock<br/>100<br/>errors 503:5,429:1"]
    FRONT -->|"1"| CART_DB
    FRONT -->|"2, 12.5 %"| STOCK
    FRONT -->|"3"| STOCK
    CART_DB -->|"parallel"| STOCK
"#
    );
}

mod manifest {
    use std::fs;
    use std::path::Path;

    use super::*;
    use tracing_tail::settings::OTLP_ENDPOINT;
    use tracing_tail_host::manifest::{Manifest, Route, find};
    use tracing_tail_host::variables::Variables;

    fn manifest(topology: &str, repository: Option<&str>) -> Manifest {
        let code = Code {
            source: "x/y.wasm".to_owned(),
            viewer: None,
            repository: repository.map(str::to_owned),
            wasi: Wasi::V03,
        };
        let text = spin_toml(&parse(topology).unwrap(), &code, "shop.toml");
        Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap()
    }

    fn routes(manifest: &Manifest) -> Vec<&str> {
        let routes = manifest.triggers.iter().map(|trigger| &trigger.route);
        routes
            .map(|route| match route {
                Route::Public(route) => route.value.as_str(),
                Route::Private => "private",
            })
            .collect()
    }

    #[test]
    fn maps_each_setting_of_each_service() {
        let shop = SHOP.replace("retries = 2", "propagators = [\"b3\", \"tracecontext\"]");
        let manifest = manifest(&shop, None);
        let resolved = Variables::resolve(&manifest, &[]).unwrap();
        assert_eq!(
            resolved.get("stock_propagators").unwrap(),
            "b3,tracecontext"
        );
        assert_eq!(
            resolved.get("front_propagators").unwrap(),
            "",
            "the shared ones hold"
        );
        let topology = parse(&shop).unwrap();
        for service in &topology.services {
            let id = service.id.value.as_str();
            let mapped = resolved.of_component(find(&manifest, id).unwrap()).unwrap();
            for setting in SETTINGS.iter().filter(|setting| is_mapped(setting)) {
                let expected = match *setting {
                    APP_NAME => id.to_owned(),
                    APP_URL_DESTINO => topology.destinations(service),
                    OTEL_PROPAGATORS => format!(
                        "{} else {}",
                        service.own_value(OTEL_PROPAGATORS),
                        OTEL_PROPAGATORS.default
                    ),
                    OTLP_ENDPOINT => String::new(),
                    other => service.get(other).unwrap_or(other.default).to_owned(),
                };
                assert_eq!(
                    mapped.get(&setting.variable()),
                    Some(&expected),
                    "{}",
                    setting.env
                );
            }
            let expected = SETTINGS.iter().filter(|setting| is_mapped(setting));
            assert_eq!(mapped["otlp_default_endpoint"], OTLP_ENDPOINT.default);
            assert_eq!(mapped.len(), expected.count() + 1, "nothing else is mapped");
        }
        assert_eq!(resolved.get("cart_db_fanout").unwrap(), "parallel");
        assert_eq!(
            resolved.display_value(
                find(&manifest, "stock").unwrap(),
                "otel_exporter_otlp_headers"
            ),
            Some("(secret)".to_owned())
        );
    }

    #[test]
    fn a_long_chain_raises_the_hops_that_all_services_have() {
        let chain = |length: usize| {
            let mut topology = "[services.s0]\nentry = true\n".to_owned();
            for n in 1..=length {
                topology += &format!("calls = [\"s{n}\"]\n[services.s{n}]\n");
            }
            let manifest = manifest(&topology, None);
            let resolved = Variables::resolve(&manifest, &[]).unwrap();
            let last = find(&manifest, &format!("s{length}")).unwrap();
            resolved.of_component(last).unwrap()["app_max_hops"].clone()
        };
        for (length, hops) in [(1, "64"), (64, "64"), (70, "70")] {
            assert_eq!(chain(length), hops);
        }
    }

    #[test]
    fn the_viewer_is_a_component_as_in_the_repository_s_own_manifest() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
        let text = fs::read_to_string(path).unwrap();
        let ours = Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap();
        let code = Code {
            source: "x/y.wasm".to_owned(),
            viewer: Some("x/v.wasm".to_owned()),
            repository: Some(String::new()),
            wasi: Wasi::V03,
        };
        // Beside it a service may have its short name, and alone even the name of its route.
        let shop = SHOP.replace("stock", "viewer").replace("front", "traces");
        let text = spin_toml(&parse(&shop).unwrap(), &code, "shop.toml");
        let made = Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap();
        assert_eq!(
            routes(&made),
            [
                "/...",
                "private",
                "private",
                "/traces/...",
                "/v1/...",
                "/favicon.ico"
            ]
        );
        let (viewer, ours) = (
            find(&made, viewer::ID).unwrap(),
            find(&ours, "viewer").unwrap(),
        );
        assert_eq!(viewer.source, Path::new("x/v.wasm"));
        assert_eq!(viewer.build, ours.build);
        assert_eq!(viewer.variables.len(), ours.variables.len());
        let resolved = Variables::resolve(&made, &[]).unwrap();
        let service = resolved
            .of_component(find(&made, "viewer").unwrap())
            .unwrap();
        assert_eq!(service["otlp_endpoint"], "");
        assert_eq!(service["otlp_default_endpoint"], viewer::ENDPOINT);
        assert!(service.contains_key("app_viewer_token"));
    }

    #[test]
    fn one_entry_point_has_every_path_and_several_have_their_names() {
        assert_eq!(
            routes(&manifest(SHOP, None)),
            ["/...", "private", "private"]
        );
        let two = SHOP.replace("retries = 2", "entry = true");
        assert_eq!(
            routes(&manifest(&two, None)),
            ["/front/...", "private", "/stock/..."]
        );
    }

    #[test]
    fn for_each_wasi_it_has_the_sources_and_builds_of_the_repository_s_own_manifest() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let parse_manifest =
            |text: &str| Manifest::parse(Document::new("spin.toml", text), Path::new("")).unwrap();
        let topology = parse(SHOP).unwrap();
        for (wasi, file) in [(Wasi::V03, "spin.toml"), (Wasi::V02, "spin.wasip2.toml")] {
            let code = Code::find(&topology, &repository, &repository, Some(wasi)).unwrap();
            let made = parse_manifest(&spin_toml(&topology, &code, "shop.toml"));
            let ours = parse_manifest(&fs::read_to_string(repository.join(file)).unwrap());
            for (made_id, our_id) in [("front", "tracing-tail"), (viewer::ID, "viewer")] {
                let (made, ours) = (find(&made, made_id).unwrap(), find(&ours, our_id).unwrap());
                assert_eq!(made.source, ours.source, "{file}");
                let command = |it: &tracing_tail_host::manifest::Component| {
                    it.build.clone().map(|build| build.commands)
                };
                assert_eq!(command(made), command(ours), "{file}");
            }
        }
    }

    #[test]
    fn builds_and_allows_the_same_as_the_repository_s_own_manifest() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml");
        let text = fs::read_to_string(path).unwrap();
        let ours = Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap();
        let ours = &ours.components[0];
        let made = manifest(SHOP, Some(""));
        let builds: Vec<_> = made.components.iter().map(|made| &made.build).collect();
        assert_eq!(builds, [&ours.build, &None, &None]);
        for component in &made.components {
            assert_eq!(component.source, Path::new("x/y.wasm"));
            let hosts = |component: &tracing_tail_host::manifest::Component| {
                let hosts = component.allowed_outbound_hosts.iter();
                hosts.map(|host| host.value.clone()).collect::<Vec<_>>()
            };
            assert_eq!(hosts(component), hosts(ours));
        }
    }
}
