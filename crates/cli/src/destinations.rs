//! Warns of URLs in the mesh that name a component which the application does not have, and of consumers that a component
//! may not send to.

use std::collections::HashSet;

use http::Uri;
use url::Url;

use tracing_tail::settings::{APP_URL_DESTINO, Setting, endpoints};
use tracing_tail_host::manifest::{Component, Manifest};
use tracing_tail_host::outbound::CHAINING_SUFFIX;
use tracing_tail_host::variables::{Provider, Variables};

/// Where a component sends its spans, and the setting that says so; none if it is secret or no setting says it.
pub fn endpoint(component: &Component, variables: &Variables) -> Option<(Setting, String)> {
    endpoints(|setting| variables.display_value(component, &setting.variable())).next()
}

/// One warning for each URL of a component's `app_url_destino` and of its spans that names an unknown component, and for
/// each consumer that its allowed outbound hosts lack: no span tells of such deliveries. URLs that are malformed, secret,
/// or outside of the application are not checked.
pub fn unknown(manifest: &Manifest, variables: &Variables, providers: &[Provider]) -> Vec<String> {
    let mut warnings = Vec::new();
    for component in &manifest.components {
        let id = &component.id;
        let destinations = variables.display_value(component, &APP_URL_DESTINO.variable());
        let destinations = destinations.map(|value| (APP_URL_DESTINO, value));
        for (of, value) in destinations
            .into_iter()
            .chain(endpoint(component, variables))
        {
            let name = &of.variable();
            for (entry, (url, wanted)) in value.split(',').filter_map(chained) {
                let queue = queue(entry);
                let subject = match (queue, of) {
                    (Some(queue), _) => format!("messages of {id} in queue {queue} go to"),
                    (None, APP_URL_DESTINO) => format!("{id} calls"),
                    (None, _) => "spans go to".to_owned(),
                };
                let about = |problem: String| {
                    let setting = setting(component, name, providers);
                    format!("{subject} {url} ({setting}), {problem}")
                };
                if let Some(reason) = reason_unknown(manifest, &wanted) {
                    // Spin traps the instance that sends to such a component, with all else that it is doing.
                    let trap = match queue {
                        Some(_) => "; each delivery fails, and under Spin it ends the instance",
                        None => "",
                    };
                    warnings.push(about(format!("and {reason}{trap}")));
                } else if queue.is_some() && !is_allowed(component, variables, &url) {
                    let denied = format!(
                        "and the allowed_outbound_hosts of {id} lack it; each delivery fails"
                    );
                    warnings.push(about(denied));
                }
            }
        }
    }
    let mut seen = HashSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
    warnings
}

/// An entry with a chained call: its URL without what may be secret, and the component that it names.
fn chained(entry: &str) -> Option<(&str, (String, String))> {
    // A password may hold semicolons too.
    let host = entry.rfind('@').unwrap_or_default();
    let end = entry[host..].find(';').map_or(entry.len(), |at| host + at);
    let url = Url::parse(entry[..end].trim()).ok()?;
    let host = url.host_str()?;
    let component = host.strip_suffix(CHAINING_SUFFIX)?;
    let shown = format!("{}://{host}", url.scheme());
    Some((entry, (shown, component.to_owned())))
}

/// The queue that an entry is a consumer of.
fn queue(entry: &str) -> Option<&str> {
    let mut keys = entry.split(';').skip(1);
    let queue = keys.find_map(|key| key.trim().strip_prefix("queue="))?;
    (!entry.contains('@')).then(|| queue.trim())
}

/// Whether a component may send to a URL. Malformed entries are refused elsewhere.
fn is_allowed(component: &Component, variables: &Variables, url: &str) -> bool {
    let allowed = variables.allowed_hosts(component).ok();
    let (Some(allowed), Ok(url)) = (allowed, url.parse::<Uri>()) else {
        return true;
    };
    allowed.allow(&url)
}

fn reason_unknown(manifest: &Manifest, wanted: &str) -> Option<String> {
    let mut triggers = manifest.triggers.iter();
    if triggers.any(|trigger| trigger.component.value == wanted) {
        return None;
    }
    let mut components = manifest.components.iter();
    Some(match components.any(|component| component.id == wanted) {
        true => format!("component '{wanted}' has no trigger, not even a private one"),
        false => format!("the app has no component '{wanted}'"),
    })
}

/// The setting to change: the environment variable if the component's variable is a single application variable whose
/// provider has the same prefix; otherwise the application's or the component's variable.
fn setting(component: &Component, name: &str, providers: &[Provider]) -> String {
    let template = component.variables.iter().find(|(known, _)| known == name);
    let mut used = template
        .into_iter()
        .flat_map(|(_, template)| template.variables());
    let own = name.split('_').next().unwrap_or(name);
    let prefix = providers.iter().find_map(|provider| match provider {
        Provider::Env { prefix, .. } if prefix.eq_ignore_ascii_case(own) => Some(prefix),
        _ => None,
    });
    match (prefix, used.next(), used.next()) {
        (Some(prefix), Some(variable), None) => {
            format!("{prefix}_{}", variable.to_ascii_uppercase())
        }
        (None, Some(variable), None) => format!("the variable {variable}"),
        _ => format!("the component's {name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use tracing_tail_host::document::Document;
    use tracing_tail_host::variables::Values;

    fn env(prefix: &str) -> Provider {
        Provider::Env {
            prefix: prefix.to_owned(),
            dotenv: Values::new(),
        }
    }

    fn warnings(destino: &str, endpoint: &str, providers: &[Provider]) -> Vec<String> {
        let text = format!(
            "spin_manifest_version = 2\napplication = {{ name = \"x\" }}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"service-b\"\n\
             [[trigger.http]]\nroute = {{ private = true }}\ncomponent = \"service-c\"\n[component.service-c]\nsource = \"x\"\n\
             [variables]\nb_url_destino = {{ default = \"{destino}\" }}\nsecret = {{ default = \"x\", secret = true }}\n\
             [component.idle]\nsource = \"x\"\n\
             [component.service-b]\nsource = \"x\"\nallowed_outbound_hosts = [\"http://service-b.spin.internal\"]\n\
             variables = {{ app_url_destino = \"{{{{ b_url_destino }}}}\", otlp_endpoint = \"{endpoint}\" }}\n"
        );
        let manifest = Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap();
        let variables = Variables::resolve(&manifest, &[]).unwrap();
        unknown(&manifest, &variables, providers)
    }

    #[test]
    fn names_each_url_of_an_unknown_component_and_its_setting() {
        let none = Vec::<&str>::new();
        let nobody = "and the app has no component 'nobody'";
        let table = [
            ("", "", none.clone()),
            (
                "http://service-b.spin.internal,http://b.example.com,nonsense,",
                "http://collector:4318/v1/traces",
                none.clone(),
            ),
            (
                "http://Service-B.spin.internal/base;p=30",
                "http://{{ secret }}.spin.internal",
                none,
            ),
            (
                "http://u:p;x@nobody.spin.internal/base?k=v;p=5",
                "",
                vec![
                    "service-b calls http://nobody.spin.internal (APP_B_URL_DESTINO), and the app has no component 'nobody'",
                ],
            ),
            (
                "http://service-b.spin.internal, http://nobody.spin.internal/;p=5",
                "",
                vec![
                    "service-b calls http://nobody.spin.internal (APP_B_URL_DESTINO), and the app has no component 'nobody'",
                ],
            ),
            (
                "http://idle.spin.internal",
                "",
                vec![
                    "service-b calls http://idle.spin.internal (APP_B_URL_DESTINO), and component 'idle' has no trigger, not even a private one",
                ],
            ),
            (
                "http://service-b.spin.internal;queue=q;delay=p50:1ms,p99:2s,;queue=r,http://service-c.spin.internal",
                "",
                Vec::new(),
            ),
            (
                "http://nobody.spin.internal; queue=q;delay=p50:1ms,p99:2s",
                "",
                vec![
                    "messages of service-b in queue q go to http://nobody.spin.internal (APP_B_URL_DESTINO), and the app has no component 'nobody'; each delivery fails, and under Spin it ends the instance",
                ],
            ),
            (
                "http://service-c.spin.internal/;queue=q",
                "",
                vec![
                    "messages of service-b in queue q go to http://service-c.spin.internal (APP_B_URL_DESTINO), and the allowed_outbound_hosts of service-b lack it; each delivery fails",
                ],
            ),
            (
                "",
                "http://viewer.spin.internal/v1/traces",
                vec![
                    "spans go to http://viewer.spin.internal (the component's otlp_endpoint), and the app has no component 'viewer'",
                ],
            ),
        ];
        for (destino, endpoint, expected) in table {
            let providers = [env("OTLP"), env("APP")];
            assert_eq!(
                warnings(destino, endpoint, &providers),
                expected,
                "{destino}"
            );
        }
        let warnings = warnings("http://nobody.spin.internal", "", &[env("SPIN_VARIABLE")]);
        assert_eq!(
            warnings,
            [format!(
                "service-b calls http://nobody.spin.internal (the variable b_url_destino), {nobody}"
            )]
        );
    }
}
