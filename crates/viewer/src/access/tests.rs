//! Who has access, by address, host name, origin and token.

use http::Request;

use super::*;

fn access(hosts: &str, cors: &str) -> Access {
    Access {
        hosts: AllowedHosts::parse(hosts).unwrap(),
        token: None,
        origins: AllowedOrigins::parse(cors).unwrap(),
    }
}

fn head(method: &str, authority: &str, headers: &[(&str, &str)]) -> Parts {
    let uri = format!("http://{authority}/traces/api/traces");
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// Authority, method or setting; headers; the expected status; why.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    u16,
    &'static str,
);

const HERE: (&str, &str) = ("spin-client-addr", "127.0.0.1:50000");

#[test]
fn a_client_on_this_machine_says_a_name_of_loopback_or_one_that_is_set() {
    const FORGED: (&str, &str) = ("spin-client-addr", "10.0.0.7:1");
    let set = access("viewer.example:8080, *.test", "loopback");
    let table: &[Case] = &[
        ("localhost:3000", &[HERE], 200, "localhost"),
        ("LOCALHOST", &[HERE], 200, "any case, no port"),
        ("shop.localhost:3000", &[HERE], 200, "below localhost"),
        ("localhost.:3000", &[HERE], 200, "fully qualified"),
        ("127.0.0.1:3000", &[HERE], 200, "an address"),
        ("127.9.8.7", &[HERE], 200, "all of 127.0.0.0/8"),
        ("[::1]:3000", &[HERE], 200, "IPv6"),
        ("evil.example", &[HERE], 421, "rebinding"),
        ("evil.example:3000", &[HERE], 421, "with a port"),
        ("localhost.evil.example", &[HERE], 421, "only begins so"),
        ("notlocalhost", &[HERE], 421, "only ends so"),
        ("127.0.0.1.evil.example", &[HERE], 421, "no address"),
        (
            "localhost@evil.example",
            &[HERE],
            421,
            "userinfo is no host",
        ),
        (
            "0.0.0.0:3000",
            &[HERE],
            421,
            "every address is none of loopback",
        ),
        ("192.168.1.7:3000", &[HERE], 421, "another address"),
        ("[::2]", &[HERE], 421, "another address"),
        ("viewer.example:8080", &[HERE], 200, "it is set"),
        ("viewer.example", &[HERE], 421, "set with another port"),
        ("a.test:1", &[HERE], 200, "below a name that is set"),
        ("test", &[HERE], 421, "only what is below is set"),
        (
            "evil.example",
            &[("spin-client-addr", "[::1]:4")],
            421,
            "IPv6",
        ),
        (
            "evil.example",
            &[("spin-client-addr", "[::ffff:127.0.0.1]:4")],
            421,
            "mapped",
        ),
        (
            "evil.example",
            &[("spin-client-addr", "172.17.0.1:4")],
            200,
            "a container's host",
        ),
        (
            "viewer.spin.internal",
            &[("spin-client-addr", "0.0.0.0:0")],
            200,
            "chained",
        ),
        ("evil.example", &[], 200, "a host that does not tell"),
        (
            "evil.example",
            &[FORGED, HERE],
            421,
            "the host's word is the last",
        ),
        (
            "evil.example",
            &[HERE, FORGED],
            200,
            "the host's word is the last",
        ),
    ];
    for (authority, headers, status, reason) in table {
        let checked = set.check_page(&head("GET", authority, headers));
        let found = checked.map_or_else(|problem| problem.status.as_u16(), |()| 200);
        assert_eq!(found, *status, "{authority} {headers:?}: {reason}");
    }
    let refused = set
        .check_page(&head("GET", "evil.example:3000", &[HERE]))
        .unwrap_err();
    assert_eq!(
        refused.detail,
        "the viewer does not answer for the host 'evil.example:3000': use localhost, or name it in \
         APP_VIEWER_HOSTS"
    );
    assert_eq!(
        access("*", "none").check_page(&head("GET", "evil.example", &[HERE])),
        Ok(())
    );
}

#[test]
fn a_change_that_another_site_asks_for_is_refused() {
    let set = access("viewer.example", "loopback");
    let table: &[Case] = &[
        ("DELETE", &[], 200, "no browser"),
        (
            "DELETE",
            &[("origin", "http://localhost:3000")],
            200,
            "the page",
        ),
        (
            "DELETE",
            &[("origin", "http://LOCALHOST:3000")],
            200,
            "the page",
        ),
        (
            "DELETE",
            &[("sec-fetch-site", "same-origin")],
            200,
            "the page",
        ),
        ("DELETE", &[("sec-fetch-site", "none")], 200, "the user"),
        (
            "DELETE",
            &[("origin", "https://viewer.example")],
            200,
            "a proxy's name",
        ),
        (
            "DELETE",
            &[("origin", "http://localhost:8080")],
            403,
            "another port",
        ),
        (
            "DELETE",
            &[("origin", "http://evil.example")],
            403,
            "another site",
        ),
        ("DELETE", &[("origin", "null")], 403, "a sandbox"),
        ("DELETE", &[("origin", "")], 403, "malformed"),
        (
            "DELETE",
            &[("sec-fetch-site", "cross-site")],
            403,
            "another site",
        ),
        (
            "DELETE",
            &[("sec-fetch-site", "same-site")],
            403,
            "another port",
        ),
        (
            "PUT",
            &[
                ("origin", "http://evil.example"),
                ("sec-fetch-site", "same-origin"),
            ],
            403,
            "either",
        ),
        (
            "PUT",
            &[
                ("origin", "http://localhost:3000"),
                ("sec-fetch-site", "cross-site"),
            ],
            403,
            "either",
        ),
        (
            "DELETE",
            &[
                ("origin", "http://localhost:3000"),
                ("origin", "http://evil.example"),
            ],
            403,
            "two",
        ),
        (
            "PATCH",
            &[("origin", "http://evil.example")],
            403,
            "whatever is not known to read",
        ),
        (
            "GET",
            &[("origin", "http://evil.example")],
            200,
            "it may not read the answer",
        ),
        ("HEAD", &[("sec-fetch-site", "cross-site")], 200, "nor this"),
    ];
    for (method, headers, status, reason) in table {
        let checked = set.check_page(&head(method, "localhost:3000", headers));
        let found = checked.map_or_else(|problem| problem.status.as_u16(), |()| 200);
        assert_eq!(found, *status, "{method} {headers:?}: {reason}");
    }
}

#[test]
fn exports_come_from_pages_that_may_send_and_from_all_that_is_no_page() {
    let table: &[Case] = &[
        ("loopback", &[], 200, "no browser"),
        (
            "loopback",
            &[
                ("origin", "http://localhost:5173"),
                ("sec-fetch-site", "same-site"),
            ],
            200,
            "a page here",
        ),
        (
            "loopback",
            &[("origin", "https://[::1]")],
            200,
            "a page here",
        ),
        (
            "loopback",
            &[
                ("origin", "http://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            403,
            "elsewhere",
        ),
        (
            "loopback",
            &[("origin", "http://host.docker.internal:3000")],
            200,
            "its own page",
        ),
        (
            "loopback",
            &[("sec-fetch-site", "cross-site")],
            403,
            "a page that says no origin",
        ),
        (
            "none",
            &[("origin", "http://localhost:5173")],
            403,
            "none may",
        ),
        (
            "https://shop.example",
            &[("origin", "https://shop.example")],
            200,
            "it is set",
        ),
        (
            "https://shop.example",
            &[("origin", "http://shop.example")],
            403,
            "another scheme",
        ),
        ("*", &[("origin", "http://evil.example")], 200, "all may"),
        ("*", &[("origin", "null")], 200, "all may"),
    ];
    for (cors, headers, status, reason) in table {
        let head = head(
            "POST",
            "host.docker.internal:3000",
            &[&[HERE][..], headers].concat(),
        );
        let checked = access("", cors).check_receiver(&head);
        let found = checked.map_or_else(|problem| problem.status.as_u16(), |_| 200);
        assert_eq!(found, *status, "{cors} {headers:?}: {reason}");
    }
}
