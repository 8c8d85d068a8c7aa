//! The semantic conventions: `registry.json`, which `extract.py` extracts from their registry.

use std::collections::BTreeMap;

use serde_json::Value;

/// The extract.
#[derive(Debug)]
pub struct Registry {
    /// The version of the conventions, such as `1.42.0`.
    pub version: String,
    /// Attributes by name, whatever has them.
    pub attributes: BTreeMap<String, Attribute>,
    /// HTTP spans by their kind in lower case.
    pub spans: BTreeMap<String, Levels>,
    /// CLIENT spans of stores and of gRPC, by the system.
    pub leaves: BTreeMap<String, Levels>,
    /// Spans of messages, by the operation's type and the kind, such as `send.client`; each by the system, and `generic`
    /// for all others. They are those of a later version of the conventions.
    pub messages: BTreeMap<String, BTreeMap<String, Levels>>,
    /// Events by name.
    pub events: BTreeMap<String, Levels>,
    /// What a resource is made of, by name.
    pub entities: BTreeMap<String, Levels>,
}

/// An attribute, as the registry defines it.
#[derive(Debug)]
pub struct Attribute {
    /// `string`, `int`, `double`, `boolean`, or a list of one of these.
    pub kind: String,
    /// `stable`, or how far it is from that.
    pub stability: String,
    /// Whether something else has taken its place.
    pub deprecated: bool,
    /// The values of an enumeration.
    pub values: Vec<String>,
}

/// The attributes of a span, an event or an entity, each with its requirement level: `required`,
/// `conditionally_required`, `recommended` or `opt_in`.
pub type Levels = BTreeMap<String, String>;

impl Registry {
    /// Reads the extract.
    pub fn load() -> Registry {
        let read: Value = serde_json::from_str(include_str!("registry.json")).unwrap();
        let named = |key: &str| read[key].as_object().unwrap().iter();
        let levels = |key: &str| {
            let groups = named(key);
            groups
                .map(|(name, group)| (name.clone(), texts(&group["attributes"])))
                .collect()
        };
        let attribute = |(name, about): (&String, &Value)| {
            let values = about["values"].as_array().into_iter().flatten();
            let attribute = Attribute {
                kind: about["type"].as_str().unwrap().to_owned(),
                stability: about["stability"].as_str().unwrap().to_owned(),
                deprecated: about["deprecated"] == true,
                values: values
                    .map(|value| {
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned)
                    })
                    .collect(),
            };
            (name.clone(), attribute)
        };
        Registry {
            version: read["version"].as_str().unwrap().to_owned(),
            attributes: named("attributes").map(attribute).collect(),
            spans: levels("spans"),
            leaves: levels("leaves"),
            messages: messages(&read["messages"]["spans"]),
            events: levels("events"),
            entities: levels("entities"),
        }
    }
}

/// A system's page only has what differs from the general one. One without a page for creating or sending batches has
/// there what it has for sending: until 1.43.0 a system's attributes were those of all its spans.
fn messages(spans: &Value) -> BTreeMap<String, BTreeMap<String, Levels>> {
    let of_systems = |(operation, systems): (&String, &Value)| {
        let generic = texts(&systems["generic"]["attributes"]);
        let mut pages = systems.as_object().unwrap().clone();
        if ["create.producer", "send.client"].contains(&&operation[..]) {
            for (system, page) in spans["send.producer"].as_object().unwrap() {
                pages.entry(system).or_insert_with(|| page.clone());
            }
        }
        let pages = pages.into_iter().map(|(system, page)| {
            let mut levels = generic.clone();
            levels.extend(texts(&page["attributes"]));
            (system, levels)
        });
        (operation.clone(), pages.collect())
    };
    spans.as_object().unwrap().iter().map(of_systems).collect()
}

fn texts(object: &Value) -> Levels {
    let pairs = object.as_object().unwrap().iter();
    pairs
        .map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()))
        .collect()
}
