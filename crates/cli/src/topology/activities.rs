//! The leaves and steps of a service: tables of tables, which become the text of one setting.

use anyhow::Result;
use tracing_tail::settings::Setting;
use tracing_tail_host::document::Table;

use super::refusal;

/// Reads `[services.<id>.<key>.<name>]`, and adds the names to `names`. The value is what the environment would have.
pub(super) fn read(
    id: &str,
    service: &mut Table<'_>,
    (key, setting, what, keys): (&'static str, Setting, &str, &'static [&'static str]),
    names: &mut Vec<String>,
) -> Result<Option<(Setting, String)>> {
    let of_service = format!("'{key}' of service '{id}'");
    let Some(table) = service.table(key, &of_service)? else {
        return Ok(None);
    };
    let mut value = String::new();
    for (name, mut table) in table.into_tables(what)? {
        if !value.is_empty() {
            value.push(',');
        }
        value.push_str(&name.value);
        for key in keys {
            let Some(given) = table.string_or_number(key)? else {
                continue;
            };
            if given.value.contains([';', '\n', '\r']) {
                let problem = "has a ';' or a line break, which separate keys and entries";
                return Err(given.error(format!("'{key}' of {what} '{}' {problem}", name.value)));
            }
            value.push_str(&format!(";{key}={}", given.value));
        }
        table.refuse_unknown()?;
        // A step may be in one before it, so all that there is so far is read.
        if let Some(problem) = refusal(setting, &value) {
            return Err(name.error(format!("{of_service}: {problem}")));
        }
        names.push(name.value);
    }
    Ok((!value.is_empty()).then_some((setting, value)))
}
