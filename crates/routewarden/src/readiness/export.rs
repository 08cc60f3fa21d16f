//! Scores as a table for other programs: CSV (RFC 4180) and Parquet.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use routewarden_measure::{MetricState, Readiness};

use super::survey::{Survey, Surveyed};
use crate::output::quoted;

/// One network a row, with its readiness.
pub(crate) struct Row<'a> {
    pub(crate) surveyed: &'a Surveyed,
    pub(crate) readiness: Readiness,
}

impl<'a> Row<'a> {
    /// Of a network of a survey.
    pub(crate) fn of(survey: &Survey, surveyed: &'a Surveyed) -> Self {
        Row { surveyed, readiness: survey.readiness(surveyed) }
    }

    fn score(&self, at: usize) -> Option<f64> {
        Some(self.readiness.actions.get(at)?.score?.fraction())
    }

    fn class(&self, at: usize) -> Option<&'static str> {
        Some(self.readiness.actions.get(at)?.class.name())
    }

    fn raw(&self, at: usize) -> Option<f64> {
        Some(self.readiness.metrics.get(at)?.raw?.value())
    }

    fn state(&self, at: usize) -> Option<&'static str> {
        Some(state_name(self.readiness.metrics.get(at)?.state))
    }
}

/// Name of a state of a metric.
pub(crate) const fn state_name(state: MetricState) -> &'static str {
    match state {
        MetricState::Scored => "scored",
        MetricState::Informational => "informational",
        MetricState::NoData => "no_data",
    }
}

/// What a column holds; `None` where there is nothing.
enum Values<'a> {
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<f64>>),
    Text(Vec<Option<std::borrow::Cow<'a, str>>>),
}

/// A column with its name.
struct Column<'a> {
    name: String,
    values: Values<'a>,
}

/// The columns of rows: what identifies the network and the time, then each score with its class, then
/// each metric with its state.
fn columns<'a>(survey: &'a Survey, rows: &'a [Row<'a>]) -> Vec<Column<'a>> {
    let period = survey.span.period;
    let text = |name: &str, of: &dyn Fn(&'a Row<'a>) -> Option<&'a str>| Column {
        name: name.to_owned(),
        values: Values::Text(rows.iter().map(|row| of(row).map(Into::into)).collect()),
    };
    let same = |name: &str, value: String| Column {
        name: name.to_owned(),
        values: Values::Text(rows.iter().map(|_| Some(value.clone().into())).collect()),
    };
    let number = |name: String, of: &dyn Fn(&Row<'_>) -> Option<f64>| Column {
        name,
        values: Values::Number(rows.iter().map(of).collect()),
    };
    let asns = rows.iter().map(|row| Some(i64::from(row.surveyed.asn.0))).collect();
    let mut columns = vec![
        Column { name: "asn".to_owned(), values: Values::Integer(asns) },
        text("name", &|row| row.surveyed.name.as_deref()),
        text("country", &|row| row.surveyed.country.as_deref()),
        same("profile", survey.profile.id.clone()),
        same("from", period.from().to_string()),
        same("until", period.until().to_string()),
    ];
    for (at, rule) in survey.profile.scores.iter().enumerate() {
        columns.push(number(rule.id.clone(), &|row| row.score(at)));
        columns.push(text(&format!("{} class", rule.id), &|row| row.class(at)));
    }
    for (at, metric) in survey.profile.metrics.iter().enumerate() {
        columns.push(number(format!("{} raw", metric.id), &|row| row.raw(at)));
        columns.push(text(&format!("{} state", metric.id), &|row| row.state(at)));
    }
    columns
}

/// RFC 4180; scores are from 0 to 1, what has no data is empty.
pub(crate) fn csv(out: &mut dyn Write, survey: &Survey, rows: &[Row<'_>]) -> io::Result<()> {
    let columns = columns(survey, rows);
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    writeln!(out, "{}", names.join(","))?;
    for at in 0..rows.len() {
        let cells: Vec<String> = columns.iter().map(|column| column.values.cell(at)).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

impl Values<'_> {
    fn cell(&self, at: usize) -> String {
        let cell = match self {
            Values::Integer(values) => values.get(at).copied().flatten().map(|n| n.to_string()),
            Values::Number(values) => values.get(at).copied().flatten().map(|n| n.to_string()),
            Values::Text(values) => values.get(at).and_then(Option::as_deref).map(quoted),
        };
        cell.unwrap_or_default()
    }

    fn schema(&self, name: &str) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self {
            Values::Integer(_) => (Physical::INT64, None),
            Values::Number(_) => (Physical::DOUBLE, None),
            Values::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let column = Type::primitive_type_builder(name, physical);
        let column = column.with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
        Ok(Arc::new(column.build()?))
    }

    fn write(
        &self,
        group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    ) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        // 1 where there is a value, 0 where there is none.
        match self {
            Values::Integer(values) => {
                let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
                let values: Vec<i64> = values.iter().copied().flatten().collect();
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            }
            Values::Number(values) => {
                let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
                let values: Vec<f64> = values.iter().copied().flatten().collect();
                column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
            }
            Values::Text(values) => {
                let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
                let values: Vec<ByteArray> =
                    values.iter().flatten().map(|text| ByteArray::from(&**text)).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
        }
        column.close()
    }
}

/// A file of Apache Parquet with the columns of [`csv`]; what has no data is null.
///
/// # Errors
/// When the library refuses, which it does for no table of ours.
pub(crate) fn parquet(survey: &Survey, rows: &[Row<'_>]) -> Result<Vec<u8>, ParquetError> {
    let columns = columns(survey, rows);
    let fields: Vec<TypePtr> = columns
        .iter()
        .map(|column| column.values.schema(&column.name))
        .collect::<Result<_, ParquetError>>()?;
    let schema = Type::group_type_builder("readiness").with_fields(fields).build()?;
    let mut octets = Vec::new();
    let properties = WriterProperties::builder().set_created_by("routewarden".to_owned()).build();
    let mut file = SerializedFileWriter::new(&mut octets, Arc::new(schema), Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for column in &columns {
        column.values.write(&mut group)?;
    }
    group.close()?;
    file.close()?;
    Ok(octets)
}
