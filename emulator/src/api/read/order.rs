//! The order of a list (reference §4.5).

use crate::{
    api::Call,
    odata::{fragment::Sql, order::OrderColumn, sql::collate},
    schema::Table,
    store::Stored,
    wire::ODataError,
};

impl<'a> Call<'a> {
    /// `$orderby` and, so that paging is stable, the key.
    pub(super) fn order_columns(
        &'a self,
        table: &'a Table,
    ) -> Result<Vec<OrderColumn>, ODataError> {
        let mut compiler = self.compiler(table);
        let mut columns = Vec::new();
        for order in &self.options.order {
            let reached = compiler.order(order)?;
            columns.push(OrderColumn {
                name: order.path.join("."),
                sql: reached.sql,
                stored: reached.property.stored,
                collate: collate(&reached.property),
                descending: order.descending,
            });
        }
        if !columns.iter().any(|column| column.name == table.primary_id) {
            columns.push(OrderColumn {
                name: table.primary_id.clone(),
                sql: Sql::new(format!("t.\"{}\"", table.primary_id)),
                stored: Stored::Guid,
                collate: "",
                descending: false,
            });
        }
        Ok(columns)
    }
}
