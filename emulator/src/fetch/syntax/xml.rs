//! XML to query.

use roxmltree::{Document, Node};

use super::element::{
    alias, allow, attribute, condition, elements, number, order, required, truth,
};
use crate::{
    fetch::{
        FetchError,
        query::{Entity, Fetch, Filter, Link, LinkKind, MAX_LINKS, Part},
    },
    wire::ODataError,
};

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 100;
/// Most conditions of a query.
const MAX_CONDITIONS: usize = 500;

/// Attributes of `fetch` without effect on what rows a query finds.
const WITHOUT_EFFECT: [&str; 9] = [
    "version",
    "mapping",
    "output-format",
    "no-lock",
    "latematerialize",
    "utc-offset",
    "min-active-row-version",
    "options",
    "savedqueryid",
];

impl Fetch {
    /// Parses a query.
    pub(crate) fn parse(xml: &str) -> Result<Self, ODataError> {
        let document = Document::parse(xml.trim()).map_err(FetchError::not_xml)?;
        let root = document.root_element();
        if root.tag_name().name() != "fetch" {
            return Err(FetchError::not_xml("The document element must be <fetch>."));
        }
        let mut parser = Parser::default();
        let mut fetch = fetch_attributes(root)?;
        let mut entities = elements(root);
        let (Some(entity), None) = (entities.next(), entities.next()) else {
            return Err(FetchError::not_xml("<fetch> must hold one <entity>."));
        };
        if entity.tag_name().name() != "entity" {
            return Err(FetchError::not_xml("<fetch> must hold one <entity>."));
        }
        allow(
            entity,
            &["name", "enableprefiltering", "prefilterparametername"],
        )?;
        fetch.root = parser.entity(entity, 1)?;
        if parser.links > MAX_LINKS {
            return Err(ODataError::bad_request(
                "0x8004430D",
                "Number of link entities in query exceeded maximum limit.",
            ));
        }
        if parser.conditions > MAX_CONDITIONS {
            return Err(ODataError::bad_request(
                "0x8004430C",
                "Number of conditions in query exceeded maximum limit.",
            ));
        }
        Ok(fetch)
    }
}

#[derive(Default)]
struct Parser {
    links: usize,
    conditions: usize,
}

impl Parser {
    /// What `entity` and `link-entity` hold.
    fn entity(&mut self, node: Node<'_, '_>, depth: usize) -> Result<Entity, ODataError> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let mut entity = Entity {
            table: required(node, "name")?.to_owned(),
            ..Entity::default()
        };
        for child in elements(node) {
            match child.tag_name().name() {
                "attribute" => entity.attributes.push(attribute(child)?),
                "all-attributes" => entity.all_columns = true,
                "filter" => entity.filters.push(self.filter(child, depth + 1)?),
                "order" => entity.orders.push(order(child)?),
                "link-entity" => {
                    let link = self.link(child, depth + 1)?;
                    if matches!(
                        link.kind,
                        LinkKind::Any | LinkKind::NotAny | LinkKind::All | LinkKind::NotAll
                    ) {
                        return Err(FetchError::not_xml(
                            "The link types 'any', 'not any', 'all' and 'not all' belong in a \
                             <filter>.",
                        ));
                    }
                    entity.links.push(link);
                }
                other => {
                    let owner = node.tag_name().name();
                    return Err(FetchError::unexpected(&format!("element <{other}>"), owner));
                }
            }
        }
        Ok(entity)
    }

    fn link(&mut self, node: Node<'_, '_>, depth: usize) -> Result<Link, ODataError> {
        allow(
            node,
            &[
                "name",
                "from",
                "to",
                "alias",
                "link-type",
                "intersect",
                "visible",
                "enableprefiltering",
                "prefilterparametername",
            ],
        )?;
        self.links += 1;
        let number = self.links;
        let kind = match node.attribute("link-type").unwrap_or("inner") {
            "inner" | "natural" => LinkKind::Inner,
            "outer" => LinkKind::Outer,
            "exists" | "in" => LinkKind::Exists,
            "matchfirstrowusingcrossapply" => LinkKind::First,
            "any" => LinkKind::Any,
            "not any" => LinkKind::NotAny,
            "all" => LinkKind::All,
            "not all" => LinkKind::NotAll,
            other => {
                return Err(FetchError::not_xml(format!(
                    "'{other}' is no link type of FetchXML."
                )));
            }
        };
        let alias = node.attribute("alias").map(alias).transpose()?;
        Ok(Link {
            from: required(node, "from")?.to_owned(),
            to: required(node, "to")?.to_owned(),
            alias,
            kind,
            number,
            entity: self.entity(node, depth)?,
        })
    }

    fn filter(&mut self, node: Node<'_, '_>, depth: usize) -> Result<Filter, ODataError> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        allow(
            node,
            &[
                "type",
                "isquickfindfields",
                "overridequickfindrecordlimitenabled",
                "overridequickfindrecordlimitdisabled",
                "hint",
            ],
        )?;
        let any = match node.attribute("type").unwrap_or("and") {
            "and" => false,
            "or" => true,
            other => {
                return Err(FetchError::not_xml(format!(
                    "'{other}' is no type of <filter>: use 'and' or 'or'."
                )));
            }
        };
        let mut parts = Vec::new();
        for child in elements(node) {
            parts.push(match child.tag_name().name() {
                "filter" => Part::Filter(self.filter(child, depth + 1)?),
                "condition" => {
                    self.conditions += 1;
                    Part::Condition(condition(child)?)
                }
                "link-entity" => Part::Link(self.filter_link(child, depth + 1)?),
                other => {
                    return Err(FetchError::unexpected(
                        &format!("element <{other}>"),
                        "filter",
                    ));
                }
            });
        }
        Ok(Filter { any, parts })
    }

    /// A link-entity inside a filter; nothing of it can be selected.
    fn filter_link(&mut self, node: Node<'_, '_>, depth: usize) -> Result<Link, ODataError> {
        let link = self.link(node, depth)?;
        if matches!(
            link.kind,
            LinkKind::Inner | LinkKind::Outer | LinkKind::First
        ) {
            return Err(FetchError::not_xml(
                "A <link-entity> in a <filter> needs the link type 'any', 'not any', 'all' or \
                 'not all'.",
            ));
        }
        Ok(link)
    }
}

fn fetch_attributes(node: Node<'_, '_>) -> Result<Fetch, ODataError> {
    let mut fetch = Fetch::default();
    for attribute in node.attributes() {
        let (name, value) = (attribute.name(), attribute.value());
        match name {
            "top" => fetch.top = Some(number(name, value)?),
            "count" => fetch.count = Some(number(name, value)?),
            "page" => fetch.page = Some(number(name, value)?),
            "paging-cookie" if value.is_empty() => {}
            "paging-cookie" => fetch.cookie = Some(value.to_owned()),
            "distinct" => fetch.distinct = truth(name, value)?,
            "returntotalrecordcount" => fetch.total = truth(name, value)?,
            "aggregate" => fetch.aggregate = truth(name, value)?,
            "aggregatelimit" => fetch.aggregate_limit = Some(number(name, value)?),
            "useraworderby" => fetch.raw_order = truth(name, value)?,
            "datasource" => {
                return Err(ODataError::not_implemented("Long term retained data"));
            }
            _ if WITHOUT_EFFECT.contains(&name) => {}
            _ => {
                return Err(FetchError::unexpected(
                    &format!("attribute '{name}'"),
                    "fetch",
                ));
            }
        }
    }
    let paging = [
        ("page", fetch.page.is_some()),
        ("count", fetch.count.is_some()),
        ("paging-cookie", fetch.cookie.is_some()),
        ("returntotalrecordcount", fetch.total),
    ];
    if let Some((name, _)) = paging.iter().find(|(_, given)| *given)
        && fetch.top.is_some()
    {
        return Err(FetchError::invalid(format!(
            "The top attribute can't be specified with paging attribute {name}"
        )));
    }
    Ok(fetch)
}

fn too_deep() -> ODataError {
    FetchError::not_xml("The query is nested too deeply: at most 100 levels are allowed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(xml: &str) -> &'static str {
        Fetch::parse(xml).unwrap_err().code
    }

    #[test]
    fn a_designed_view_parses() {
        let fetch = Fetch::parse(
            r#"<fetch version="1.0" output-format="xml-platform" mapping="logical" distinct="true">
                 <entity name="opportunity">
                   <attribute name="name" /><order attribute="name" descending="true" />
                   <filter type="and">
                     <condition attribute="ownerid" operator="eq-userid" />
                     <filter type="or">
                       <condition attribute="statuscode" operator="in">
                         <value>1</value><value uiname="x">2</value>
                       </condition>
                     </filter>
                   </filter>
                   <link-entity name="account" from="accountid" to="customerid" alias="a"
                     visible="false" link-type="outer"><attribute name="name" alias="n" />
                   </link-entity>
                 </entity>
               </fetch>"#,
        )
        .unwrap();
        assert!(fetch.distinct && !fetch.aggregate);
        let Part::Filter(inner) = &fetch.root.filters[0].parts[1] else {
            panic!("no filter")
        };
        let Part::Condition(condition) = &inner.parts[0] else {
            panic!("no condition")
        };
        assert_eq!((inner.any, condition.values.len()), (true, 2));
        let link = &fetch.root.links[0];
        assert_eq!((link.kind, link.number), (LinkKind::Outer, 1));
        assert_eq!(link.entity.attributes[0].alias.as_deref(), Some("n"));
    }

    #[test]
    fn invalid_queries_are_rejected() {
        for xml in [
            "",
            "<fetch>",
            "<query/>",
            "<fetch/>",
            "<fetch><entity/></fetch>",
            "<fetch pages='1'><entity name='account'/></fetch>",
            "<fetch><entity name='account'><filters/></entity></fetch>",
            "<fetch><entity name='account'><attribute name='a' aggregates='sum'/></entity></fetch>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><fetch><entity name='account'/></fetch>",
        ] {
            assert_eq!(refused(xml), "0x80040201", "{xml}");
        }
        assert_eq!(
            refused("<fetch><entity name='a'><attribute name='b' alias='1 c'/></entity></fetch>"),
            "0x80041109"
        );
        let error =
            Fetch::parse("<fetch top='1' page='1'><entity name='account'/></fetch>").unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (
                "0x80040203",
                "The top attribute can't be specified with paging attribute page"
            )
        );
        let link = "<link-entity name='contact' from='parentcustomerid' to='accountid'/>";
        let many = |count: usize| {
            format!(
                "<fetch><entity name='account'>{}</entity></fetch>",
                link.repeat(count)
            )
        };
        assert!(Fetch::parse(&many(15)).is_ok());
        assert_eq!(refused(&many(16)), "0x8004430D");
    }
}
