//! Queries in `FetchXML` (reference §4.13): what they select, and how they are read page by page.
//!
//! The text of a query is kept. Only its first tag is rewritten for each page.

use std::fmt::Write as _;

use super::query::Query;
use super::xml::{Tag, TagKind, Tags, escaped};

/// Attributes of the first tag that select a page.
const PAGING: [&str; 4] = ["page", "count", "paging-cookie", "returntotalrecordcount"];
/// How many rows paging without a cookie reaches.
pub(crate) const MOST_WITHOUT_COOKIE: u64 = 50_000;

/// A query.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    /// The first tag without `>` and without what concerns pages.
    head: String,
    /// What follows the first tag.
    rest: String,
    /// Which of the matching rows it returns.
    pub(crate) extent: Extent,
    /// Whether its rows are aggregates of others.
    pub(crate) is_aggregate: bool,
    /// Whether equal rows are returned once.
    pub(crate) is_distinct: bool,
    /// Whether it orders its rows.
    pub(crate) is_ordered: bool,
    /// How many rows it requests on a page.
    pub(crate) count: Option<u32>,
    /// The table whose rows it finds, and those that are joined to it, the first one first.
    pub(crate) tables: Vec<FetchTable>,
}

/// Which of the matching rows a query returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of them.
    All,
    /// Only the first ones: they are one page.
    Top,
}

/// A table of a query.
#[derive(Clone, Debug, Default)]
pub(crate) struct FetchTable {
    /// Its logical name.
    pub(crate) name: String,
    /// The prefix of its columns in rows: `alias.column`. None for the first table.
    pub(crate) alias: Option<String>,
    /// The column by which it is joined; none for the first table.
    pub(crate) from: Option<String>,
    /// Whether a row of the query contains at most one of its rows, whatever the columns.
    pub(crate) is_single: bool,
    /// Whether all its columns are selected.
    pub(crate) selects_all: bool,
    /// The selected columns.
    pub(crate) columns: Vec<FetchColumn>,
}

/// A column of a query.
#[derive(Clone, Debug)]
pub(crate) struct FetchColumn {
    /// Its logical name in its table.
    pub(crate) name: String,
    /// Its name in rows, if not the usual one.
    pub(crate) alias: Option<String>,
    /// How it is computed: `count`, `sum` and so on; `date` for a part of a date.
    pub(crate) function: Option<String>,
}

impl Fetch {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const NOT_FETCHXML: &str = "it is not FetchXML with one <fetch> and one <entity>; \
                                 correct it";
        let mut tags = Tags::of(text);
        let first = tags
            .next()
            .filter(|tag| tag.name == "fetch" && tag.kind == TagKind::Begin)
            .ok_or(NOT_FETCHXML)?;
        let flag = |name: &str| matches!(first.get(name).as_deref(), Some("true" | "1"));
        let has_top = first.get("top").is_some();
        let mut fetch = Self {
            head: String::from("<fetch"),
            rest: text.get(first.place.end..).unwrap_or_default().to_owned(),
            extent: if has_top { Extent::Top } else { Extent::All },
            is_aggregate: flag("aggregate"),
            is_distinct: flag("distinct"),
            is_ordered: false,
            count: first.get("count").and_then(|count| count.parse().ok()),
            tables: Vec::new(),
        };
        if first.get("page").is_some_and(|page| page != "1") || first.get("paging-cookie").is_some()
        {
            return Err("it selects a page by itself; remove page and paging-cookie");
        }
        if has_top && fetch.count.is_some() {
            return Err("top and count cannot be combined; remove one of them");
        }
        for (name, value) in first.attributes() {
            if !PAGING.contains(&name) {
                write_attribute(&mut fetch.head, name, &value);
            }
        }
        if fetch.read_tables(tags)
            && fetch
                .tables
                .first()
                .is_some_and(|table| !table.name.is_empty())
        {
            Ok(fetch)
        } else {
            Err(NOT_FETCHXML)
        }
    }

    /// Reads the content of the first tag. Returns whether every element ends.
    fn read_tables(&mut self, tags: Tags<'_>) -> bool {
        // The open elements; those of tables with their index.
        let mut open: Vec<(&str, Option<usize>)> = vec![("fetch", None)];
        for tag in tags {
            if tag.kind == TagKind::End {
                if open.pop().is_none_or(|(name, _)| name != tag.name) {
                    return false;
                }
                continue;
            }
            let table = open.last().and_then(|(_, table)| *table);
            let mut index = None;
            match tag.name {
                "entity" if open.len() == 1 && self.tables.is_empty() => {
                    index = Some(0);
                    self.tables.push(FetchTable {
                        name: tag.get("name").unwrap_or_default(),
                        is_single: true,
                        ..FetchTable::default()
                    });
                }
                // Within a filter it is a condition and has no columns.
                "link-entity" if table.is_some() => {
                    index = Some(self.tables.len());
                    self.tables.push(joined(&tag, self.tables.len()));
                }
                "order" => self.is_ordered = true,
                _ => {}
            }
            if let Some(table) = table.and_then(|table| self.tables.get_mut(table)) {
                match tag.name {
                    "attribute" => table.columns.extend(column(&tag)),
                    "all-attributes" => table.selects_all = true,
                    _ => {}
                }
            }
            if tag.kind == TagKind::Begin {
                open.push((tag.name, index));
            }
        }
        open.is_empty()
    }

    /// The text for a page, which begins after a cookie if there is one.
    pub(crate) fn page(&self, page: u32, count: u32, cookie: Option<&str>) -> String {
        let mut text = self.head.clone();
        if self.extent != Extent::Top {
            write_attribute(&mut text, "page", &page.to_string());
            write_attribute(&mut text, "count", &count.to_string());
            if let Some(cookie) = cookie {
                write_attribute(&mut text, "paging-cookie", cookie);
            }
        }
        text.push('>');
        text.push_str(&self.rest);
        text
    }

    /// The address of a page, below the API root.
    pub(crate) fn address(
        &self,
        entity_set: &str,
        page: u32,
        count: u32,
        cookie: Option<&str>,
    ) -> Query {
        Query::new(entity_set).option("fetchXml", &self.page(page, count, cookie))
    }
}

fn write_attribute(tag: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = write!(tag, " {name}=\"{}\"", escaped(value));
}

fn joined(tag: &Tag<'_>, ordinal: usize) -> FetchTable {
    let name = tag.get("name").unwrap_or_default();
    let kind = tag.get("link-type").unwrap_or_default();
    FetchTable {
        // The name that the service gives it if the query does not.
        alias: Some(
            tag.get("alias")
                .unwrap_or_else(|| format!("{name}{ordinal}")),
        ),
        from: tag.get("from"),
        is_single: !matches!(kind.as_str(), "" | "inner" | "outer"),
        name,
        ..FetchTable::default()
    }
}

fn column(tag: &Tag<'_>) -> Option<FetchColumn> {
    Some(FetchColumn {
        name: tag.get("name")?,
        alias: tag.get("alias"),
        function: tag
            .get("aggregate")
            .or_else(|| tag.get("dategrouping").map(|_| "date".to_owned())),
    })
}

/// The cookie for the next page, from its annotation: there it is an attribute of another
/// element and percent-encoded twice.
pub(crate) fn next_cookie(annotation: &str) -> Option<String> {
    let inner = Tags::of(annotation).next()?.get("pagingcookie")?;
    let cookie = percent_decoded(&percent_decoded(&inner)?)?;
    (!cookie.is_empty()).then_some(cookie)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte == b'%' {
            let mut digit = || char::from(*rest.next()?).to_digit(16);
            let code = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(code).ok()?);
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_analyzed() {
        let fetch = Fetch::parse(
            "<!-- a view --><fetch version='1.0' count='50' distinct='true' page='1'>
               <entity name='account'>
                 <attribute name='name'/><order attribute='name'/>
                 <filter><condition attribute='name' operator='eq' value='a&lt;b'/>
                   <link-entity name='task' from='regardingobjectid' to='accountid' link-type='any'/>
                 </filter>
                 <link-entity name='contact' from='contactid' to='primarycontactid' alias='c'>
                   <attribute name='fullname' alias='who'></attribute>
                   <link-entity name='task' from='regardingobjectid' to='contactid'
                     link-type='outer'><all-attributes/></link-entity>
                 </link-entity>
               </entity>
             </fetch>",
        )
        .unwrap();
        assert!(fetch.is_distinct && fetch.is_ordered && fetch.extent == Extent::All);
        assert_eq!(fetch.count, Some(50));
        let tables: Vec<(&str, Option<&str>, usize, bool)> = fetch
            .tables
            .iter()
            .map(|table| {
                let alias = table.alias.as_deref();
                (&*table.name, alias, table.columns.len(), table.selects_all)
            })
            .collect();
        assert_eq!(
            tables,
            [
                ("account", None, 1, false),
                ("contact", Some("c"), 1, false),
                ("task", Some("task2"), 0, true),
            ]
        );
        assert_eq!(fetch.tables[1].columns[0].alias.as_deref(), Some("who"));
        assert!(fetch.page(3, 10, Some("<cookie page=\"1\"/>")).starts_with(
            "<fetch version=\"1.0\" distinct=\"true\" page=\"3\" count=\"10\" \
                 paging-cookie=\"&lt;cookie page=&quot;1&quot;/&gt;\">\n"
        ));
    }

    #[test]
    fn invalid_queries_are_rejected() {
        for (text, words) in [
            ("", "not FetchXML"),
            ("SELECT 1", "not FetchXML"),
            ("<fetch><entity name='a'></fetch>", "not FetchXML"),
            ("<fetch><entity/></fetch>", "not FetchXML"),
            ("<fetch></fetch>", "not FetchXML"),
            ("<fetch page='2'><entity name='a'/></fetch>", "remove page"),
            (
                "<fetch top='2' count='3'><entity name='a'/></fetch>",
                "cannot be combined",
            ),
        ] {
            assert!(Fetch::parse(text).unwrap_err().contains(words), "{text}");
        }
        let top = Fetch::parse("<fetch top='2'><entity name='a'/></fetch>").unwrap();
        assert_eq!(
            top.page(1, 9, None),
            "<fetch top=\"2\"><entity name='a'/></fetch>"
        );
    }

    #[test]
    fn a_cookie_is_decoded_twice() {
        let annotation = "<cookie pagenumber=\"2\" pagingcookie=\"%253ccookie%2520page%253d%25221\
                          %2522%253e%253ccontactid%2520last%253d%2522%257bA%257d%2522%2520%252f\
                          %253e%253c%252fcookie%253e\" istracking=\"False\" />";
        assert_eq!(
            next_cookie(annotation).as_deref(),
            Some("<cookie page=\"1\"><contactid last=\"{A}\" /></cookie>")
        );
        for none in [
            "",
            "<cookie/>",
            "<cookie pagingcookie=''/>",
            "<cookie pagingcookie='%zz'/>",
        ] {
            assert_eq!(next_cookie(none), None, "{none}");
        }
    }
}
