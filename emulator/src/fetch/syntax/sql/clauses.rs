//! The clauses of a statement, as far as the service takes them (reference §4.13). `sqlparser`
//! reads them; what it knows and the service does not take is rejected.

use sqlparser::{
    ast::{
        Distinct, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
        FunctionArguments, GroupByExpr, Join as SqlJoin, JoinConstraint, JoinOperator, ObjectName,
        OrderBy, OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectFlavor, SelectItem,
        SetExpr, Statement, TableAlias, TableFactor, TableWithJoins, Top, TopQuantity,
    },
    dialect::MsSqlDialect,
    parser::Parser,
};

use super::{
    column::{Column, column, name},
    conditions::filter,
    refused,
};
use crate::{
    fetch::query::{Aggregation, Filter},
    wire::ODataError,
};

/// A column or function between `SELECT` and `FROM`.
#[derive(Debug)]
pub(super) struct Item {
    /// `None` for `COUNT(*)`.
    pub(super) column: Option<Column>,
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

/// A `SELECT` statement.
#[derive(Debug)]
pub(super) struct Clauses {
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

impl Clauses {
    pub(super) fn parse(text: &str) -> Result<Self, ODataError> {
        let statements = Parser::parse_sql(&MsSqlDialect {}, text)
            .map_err(|error| refused(&format!("The statement ({error})")))?;
        let Ok([Statement::Query(query)]) = <[Statement; 1]>::try_from(statements) else {
            return Err(refused("A statement other than one SELECT"));
        };
        let (select, orders) = plain_query(*query)?;
        Self::of(select, orders)
    }

    /// The clauses of a `SELECT`. All its parts are named here, so that a part that a new version
    /// of the parser adds is not ignored.
    fn of(select: Select, orders: Vec<(Column, bool)>) -> Result<Self, ODataError> {
        let Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers: None,
            top,
            top_before_distinct: _,
            projection,
            exclude: None,
            into: None,
            from,
            lateral_views,
            prewhere: None,
            selection,
            connect_by,
            group_by: GroupByExpr::Expressions(groups, group_modifiers),
            cluster_by,
            distribute_by,
            sort_by,
            having: None,
            named_window,
            qualify: None,
            window_before_qualify: _,
            value_table_mode: None,
            flavor: SelectFlavor::Standard,
        } = select
        else {
            return Err(refused("A clause of the statement"));
        };
        let plain = optimizer_hints.is_empty()
            && lateral_views.is_empty()
            && connect_by.is_empty()
            && group_modifiers.is_empty()
            && cluster_by.is_empty()
            && distribute_by.is_empty()
            && sort_by.is_empty()
            && named_window.is_empty();
        if !plain {
            return Err(refused("A clause of the statement"));
        }
        let Ok([TableWithJoins { relation, joins }]) = <[TableWithJoins; 1]>::try_from(from) else {
            return Err(refused("Other than one table after FROM"));
        };
        let (table, alias) = table_of(relation)?;
        let filter = selection.map(|condition| filter(condition, &alias));
        Ok(Self {
            distinct: match distinct {
                None | Some(Distinct::All) => false,
                Some(Distinct::Distinct) => true,
                Some(Distinct::On(_)) => return Err(refused("DISTINCT ON")),
            },
            top: top.as_ref().map(rows_of).transpose()?,
            items: projection.into_iter().map(item).collect::<Result<_, _>>()?,
            table,
            alias,
            joins: joins.into_iter().map(join).collect::<Result<_, _>>()?,
            filter: filter.transpose()?,
            groups: groups.into_iter().map(column).collect::<Result<_, _>>()?,
            orders,
        })
    }
}

/// The `SELECT` and the order of a query that has nothing else.
fn plain_query(query: Query) -> Result<(Select, Vec<(Column, bool)>), ODataError> {
    let Query {
        with: None,
        body,
        order_by,
        limit_clause: None,
        fetch: None,
        locks,
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators,
    } = query
    else {
        return Err(refused("A clause beside SELECT"));
    };
    let SetExpr::Select(select) = *body else {
        return Err(refused("A combination of queries"));
    };
    if !locks.is_empty() || !pipe_operators.is_empty() {
        return Err(refused("A clause beside SELECT"));
    }
    let orders = match order_by {
        None => Vec::new(),
        Some(OrderBy {
            kind: OrderByKind::Expressions(orders),
            interpolate: None,
        }) => orders.into_iter().map(order).collect::<Result<_, _>>()?,
        Some(_) => return Err(refused("An order other than by columns")),
    };
    Ok((*select, orders))
}

fn rows_of(top: &Top) -> Result<usize, ODataError> {
    match top {
        Top {
            with_ties: false,
            percent: false,
            quantity: Some(TopQuantity::Constant(rows)),
        } => usize::try_from(*rows).map_err(|_| refused("So large a TOP")),
        _ => Err(refused("TOP without a plain number")),
    }
}

fn order(order: OrderByExpr) -> Result<(Column, bool), ODataError> {
    if order.options.nulls_first.is_some() || order.with_fill.is_some() {
        return Err(refused("An order that places nulls"));
    }
    let descending = match order.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return Err(refused("ORDER BY … USING")),
    };
    Ok((column(order.expr)?, descending))
}

fn item(item: SelectItem) -> Result<Item, ODataError> {
    let (expression, alias) = match item {
        SelectItem::UnnamedExpr(expression) => (expression, None),
        SelectItem::ExprWithAlias { expr, alias } => (expr, Some(name(alias)?)),
        SelectItem::ExprWithAliases { .. }
        | SelectItem::QualifiedWildcard(..)
        | SelectItem::Wildcard(_) => return Err(refused("'*' instead of columns")),
    };
    let (column, function) = match expression {
        Expr::Function(function) => {
            let (column, function) = aggregation(function)?;
            (column, Some(function))
        }
        other => (Some(column(other)?), None),
    };
    Ok(Item {
        column,
        function,
        alias,
    })
}

/// An aggregate function and its column.
fn aggregation(function: Function) -> Result<(Option<Column>, Aggregation), ODataError> {
    let name = function.name.to_string().to_ascii_lowercase();
    let unsupported = || refused(&format!("This call of the function '{name}'"));
    let Function {
        name: _,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(arguments),
        within_group,
        filter: None,
        null_treatment: None,
        over: None,
    } = function
    else {
        return Err(unsupported());
    };
    let distinct = match arguments.duplicate_treatment {
        None => false,
        Some(DuplicateTreatment::Distinct) => true,
        Some(DuplicateTreatment::All) => return Err(unsupported()),
    };
    let Ok([FunctionArg::Unnamed(argument)]) = <[FunctionArg; 1]>::try_from(arguments.args) else {
        return Err(unsupported());
    };
    if !within_group.is_empty() || !arguments.clauses.is_empty() {
        return Err(unsupported());
    }
    let argument = match argument {
        FunctionArgExpr::Expr(expression) => Some(column(expression)?),
        FunctionArgExpr::Wildcard if name == "count" && !distinct => None,
        FunctionArgExpr::Wildcard
        | FunctionArgExpr::QualifiedWildcard(_)
        | FunctionArgExpr::WildcardWithOptions(_) => return Err(unsupported()),
    };
    let function = match name.as_str() {
        "count" if argument.is_none() => Aggregation::Count,
        "count" => Aggregation::CountColumn { distinct },
        "sum" => Aggregation::Sum,
        "avg" => Aggregation::Average,
        "min" => Aggregation::Min,
        "max" => Aggregation::Max,
        _ => return Err(unsupported()),
    };
    Ok((argument, function))
}

/// A table and the name by which the statement knows it.
fn table_of(table: TableFactor) -> Result<(String, String), ODataError> {
    let TableFactor::Table {
        name: table,
        alias,
        args: None,
        with_hints,
        version: None,
        with_ordinality: false,
        partitions,
        json_path: None,
        sample: None,
        index_directives,
        inheritance: None,
    } = table
    else {
        return Err(refused("Anything but a table after FROM and JOIN"));
    };
    if !with_hints.is_empty() || !partitions.is_empty() || !index_directives.is_empty() {
        return Err(refused("A hint for a table"));
    }
    let table = table_name(&table)?.to_ascii_lowercase();
    let alias = match alias {
        None => table.clone(),
        Some(TableAlias {
            explicit: _,
            name: alias,
            columns,
            at: None,
        }) if columns.is_empty() => name(alias)?,
        Some(_) => return Err(refused("Names for the columns of a table")),
    };
    Ok((table, alias))
}

fn table_name(table: &ObjectName) -> Result<String, ODataError> {
    match table.0.as_slice() {
        [part] => part
            .as_ident()
            .cloned()
            .map(name)
            .transpose()?
            .ok_or_else(|| refused("A function instead of a table")),
        _ => Err(refused("A table name with dots")),
    }
}

fn join(join: SqlJoin) -> Result<Join, ODataError> {
    let (outer, constraint) = match join.join_operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) => (false, on),
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (true, on),
        // The parser knows a dozen more, none of which the service takes.
        _ => return Err(refused("A join that is neither inner nor left")),
    };
    let JoinConstraint::On(Expr::BinaryOp {
        left,
        op: sqlparser::ast::BinaryOperator::Eq,
        right,
    }) = constraint
    else {
        return Err(refused("A join by anything but two equal columns"));
    };
    let (table, alias) = table_of(join.relation)?;
    Ok(Join {
        table,
        alias,
        outer,
        left: column(*left)?,
        right: column(*right)?,
    })
}
