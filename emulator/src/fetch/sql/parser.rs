//! The grammar of a statement.

use super::{
    super::query::{Aggregation, Condition, Filter, Part},
    refused,
    token::{Token, tokens},
};
use crate::odata::ODataError;

/// How deep conditions stand in parentheses at most.
const MAX_DEPTH: usize = 50;

/// Words that end a name: none of them is an alias.
const KEYWORDS: [&str; 9] = [
    "inner", "left", "join", "on", "where", "group", "order", "as", "outer",
];

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) qualifier: Option<String>,
    pub(super) name: String,
}

/// What stands between `SELECT` and `FROM`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) column: Column,
    pub(super) function: Option<Aggregation>,
    pub(super) alias: Option<String>,
}

#[derive(Debug)]
pub(super) struct Join {
    pub(super) table: String,
    pub(super) alias: String,
    pub(super) outer: bool,
    pub(super) left: Column,
    pub(super) right: Column,
}

#[derive(Debug)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) top: Option<usize>,
    pub(super) items: Vec<Item>,
    pub(super) table: String,
    pub(super) alias: String,
    pub(super) joins: Vec<Join>,
    pub(super) filter: Option<Filter>,
    pub(super) groups: Vec<Column>,
    /// Columns, and whether they descend.
    pub(super) orders: Vec<(Column, bool)>,
}

pub(super) struct Parser {
    /// What is left, from the end to the beginning.
    tokens: Vec<Token>,
    /// The name of the first table, which qualifies nothing in conditions.
    root: String,
    /// How many parentheses are open.
    depth: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self, ODataError> {
        let mut tokens = tokens(text)?;
        tokens.reverse();
        Ok(Self {
            tokens,
            root: String::new(),
            depth: 0,
        })
    }

    pub(super) fn select(mut self) -> Result<Select, ODataError> {
        self.expect("select")?;
        let distinct = self.word("distinct");
        let top = if self.word("top") {
            Some(self.number()?)
        } else {
            None
        };
        let items = self.list(Self::item)?;
        self.expect("from")?;
        let (table, alias) = self.table()?;
        self.root.clone_from(&alias);
        let mut joins = Vec::new();
        while let Some(outer) = self.joins() {
            joins.push(self.join(outer)?);
        }
        let filter = if self.word("where") {
            Some(self.any()?)
        } else {
            None
        };
        let groups = if self.word("group") {
            self.expect("by")?;
            self.list(Self::column)?
        } else {
            Vec::new()
        };
        let orders = if self.word("order") {
            self.expect("by")?;
            self.list(Self::order)?
        } else {
            Vec::new()
        };
        if let Some(token) = self.tokens.pop() {
            return Err(unexpected(&token));
        }
        Ok(Select {
            distinct,
            top,
            items,
            table,
            alias,
            joins,
            filter,
            groups,
            orders,
        })
    }

    fn item(&mut self) -> Result<Item, ODataError> {
        let function = match (self.tokens.last(), self.tokens.iter().rev().nth(1)) {
            (Some(Token::Word(name)), Some(Token::Sign(sign))) if sign == "(" => {
                Some(name.to_ascii_lowercase())
            }
            _ => None,
        };
        let (column, function) = match function {
            None => (self.column()?, None),
            Some(name) => {
                self.tokens.truncate(self.tokens.len().saturating_sub(2));
                let distinct = self.word("distinct");
                let all = Column {
                    qualifier: None,
                    name: "*".to_owned(),
                };
                let (column, function) = match name.as_str() {
                    "count" if self.sign("*") => (all, Aggregation::Count),
                    "count" => (self.column()?, Aggregation::CountColumn { distinct }),
                    "sum" => (self.column()?, Aggregation::Sum),
                    "avg" => (self.column()?, Aggregation::Average),
                    "min" => (self.column()?, Aggregation::Min),
                    "max" => (self.column()?, Aggregation::Max),
                    other => return Err(refused(&format!("The function '{other}'"))),
                };
                self.expect_sign(")")?;
                (column, Some(function))
            }
        };
        let alias = if self.word("as") {
            Some(self.name()?)
        } else {
            None
        };
        Ok(Item {
            column,
            function,
            alias,
        })
    }

    /// A table and the name by which the statement knows it.
    fn table(&mut self) -> Result<(String, String), ODataError> {
        let table = self.name()?.to_ascii_lowercase();
        let named = self.word("as");
        let alias = match self.tokens.last() {
            Some(Token::Word(word)) if named || !is_keyword(word) => self.name()?,
            _ => table.clone(),
        };
        Ok((table, alias))
    }

    /// Whether another join follows, and whether it is an outer one.
    fn joins(&mut self) -> Option<bool> {
        if self.word("left") {
            self.word("outer");
            self.word("join").then_some(true)
        } else {
            self.word("inner");
            self.word("join").then_some(false)
        }
    }

    fn join(&mut self, outer: bool) -> Result<Join, ODataError> {
        let (table, alias) = self.table()?;
        self.expect("on")?;
        let left = self.column()?;
        self.expect_sign("=")?;
        let right = self.column()?;
        Ok(Join {
            table,
            alias,
            outer,
            left,
            right,
        })
    }

    fn order(&mut self) -> Result<(Column, bool), ODataError> {
        let column = self.column()?;
        let descending = self.word("desc");
        if !descending {
            self.word("asc");
        }
        Ok((column, descending))
    }

    fn any(&mut self) -> Result<Filter, ODataError> {
        let mut parts = vec![Part::Filter(self.all()?)];
        while self.word("or") {
            parts.push(Part::Filter(self.all()?));
        }
        Ok(Filter { any: true, parts })
    }

    fn all(&mut self) -> Result<Filter, ODataError> {
        let mut parts = vec![self.part()?];
        while self.word("and") {
            parts.push(self.part()?);
        }
        Ok(Filter { any: false, parts })
    }

    fn part(&mut self) -> Result<Part, ODataError> {
        if self.sign("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(refused("A condition in so many parentheses"));
            }
            let inner = self.any()?;
            self.expect_sign(")")?;
            self.depth -= 1;
            return Ok(Part::Filter(inner));
        }
        let column = self.column()?;
        let (operator, values) = self.test()?;
        Ok(Part::Condition(Condition {
            attribute: column.name,
            entity: column.qualifier.filter(|name| *name != self.root),
            operator: operator.to_owned(),
            values,
            value_of: None,
        }))
    }

    /// What a column is held against, in the words of `FetchXML`.
    fn test(&mut self) -> Result<(&'static str, Vec<String>), ODataError> {
        if self.word("is") {
            let not = self.word("not");
            self.expect("null")?;
            return Ok((if not { "not-null" } else { "null" }, Vec::new()));
        }
        let not = self.word("not");
        if self.word("like") {
            return Ok((if not { "not-like" } else { "like" }, vec![self.value()?]));
        }
        if self.word("in") {
            self.expect_sign("(")?;
            let values = self.list(Self::value)?;
            self.expect_sign(")")?;
            return Ok((if not { "not-in" } else { "in" }, values));
        }
        if self.word("between") {
            let least = self.value()?;
            self.expect("and")?;
            let operator = if not { "not-between" } else { "between" };
            return Ok((operator, vec![least, self.value()?]));
        }
        let operators = [
            ("=", "eq"),
            ("<>", "ne"),
            ("!=", "ne"),
            ("<=", "le"),
            (">=", "ge"),
            ("<", "lt"),
            (">", "gt"),
        ];
        for (sign, operator) in operators {
            if !not && self.sign(sign) {
                return Ok((operator, vec![self.value()?]));
            }
        }
        Err(self.stuck())
    }

    fn value(&mut self) -> Result<String, ODataError> {
        match self.tokens.pop() {
            Some(Token::Text(value) | Token::Number(value)) => Ok(value),
            Some(token) => Err(unexpected(&token)),
            None => Err(self.stuck()),
        }
    }

    fn number(&mut self) -> Result<usize, ODataError> {
        let text = self.value()?;
        text.parse()
            .map_err(|_| refused(&format!("'{text}' after TOP")))
    }

    fn column(&mut self) -> Result<Column, ODataError> {
        let name = self.name()?;
        Ok(match name.split_once('.') {
            None => Column {
                qualifier: None,
                name: name.to_ascii_lowercase(),
            },
            Some((qualifier, name)) => Column {
                qualifier: Some(qualifier.to_owned()),
                name: name.to_ascii_lowercase(),
            },
        })
    }

    fn name(&mut self) -> Result<String, ODataError> {
        match self.tokens.pop() {
            Some(Token::Word(name)) => Ok(name),
            Some(token) => Err(unexpected(&token)),
            None => Err(self.stuck()),
        }
    }

    fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, ODataError>,
    ) -> Result<Vec<T>, ODataError> {
        let mut items = vec![item(self)?];
        while self.sign(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Whether this keyword comes next; it is taken.
    fn word(&mut self, keyword: &str) -> bool {
        let next = self.tokens.pop_if(
            |token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword)),
        );
        next.is_some()
    }

    fn sign(&mut self, expected: &str) -> bool {
        let next = self
            .tokens
            .pop_if(|token| matches!(token, Token::Sign(sign) if sign == expected));
        next.is_some()
    }

    fn expect(&mut self, keyword: &str) -> Result<(), ODataError> {
        if self.word(keyword) {
            Ok(())
        } else {
            Err(self.stuck())
        }
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), ODataError> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.stuck())
        }
    }

    fn stuck(&self) -> ODataError {
        self.tokens
            .last()
            .map_or_else(|| refused("A statement without its end"), unexpected)
    }
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

fn unexpected(token: &Token) -> ODataError {
    let (Token::Word(text) | Token::Text(text) | Token::Number(text) | Token::Sign(text)) = token;
    refused(&format!("'{text}' in this place"))
}
