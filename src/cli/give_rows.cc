#include "cli/command.h"
#include "cli/row_list.h"

namespace vitalake::cli {
namespace {

// The form asked for; a fault is one of usage.
Result<engine::ResultFormat> FormatOf(Context& context, const RowOptions& options) {
  auto format = ChooseFormat(options, context.json());
  if (!format) return Usage(context, format.error().message);
  return format;
}

Result<RowList> ToRowList(engine::QueryResult& result) {
  std::vector<RowList::Column> columns;
  for (const engine::ResultColumn& column : result.columns())
    columns.push_back({column.name, column.type});
  RowList rows(std::move(columns));
  while (true) {
    VL_TRY(bool more, result.Next());
    if (!more) return rows;
    std::vector<RowCell> cells;
    for (size_t i = 0; i < result.columns().size(); ++i) {
      cells.push_back(result.IsNull(i) ? RowCell() : RowCell(result.Text(i)));
    }
    rows.Add(std::move(cells));
  }
}

}  // namespace

Result<int> GiveRows(Context& context, const std::string& select, const RowOptions& options) {
  VL_RETURN_IF_ERROR(FormatOf(context, options));
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(engine::Connection connection, lake->engine().Connect());
  VL_RETURN_IF_ERROR(WriteSelect(connection, select, options, context.json(), context.wait()));
  return kExitDone;
}

Result<int> GiveStatement(Context& context, engine::SqlSession& session,
                          const std::string& statement, const RowOptions& options,
                          const Wait& wait) {
  VL_TRY(engine::ResultFormat format, FormatOf(context, options));
  if (format == engine::ResultFormat::kParquet) {
    VL_TRY(OutputTarget target, OutputTarget::Open(options.file));
    VL_RETURN_IF_ERROR(session.QueryToParquet(statement, target.path(), wait));
    VL_RETURN_IF_ERROR(target.Finish());
    return kExitDone;
  }
  VL_TRY(engine::QueryResult result, session.Query(statement, {}, wait));
  VL_RETURN_IF_ERROR(WriteRows(result, format, options));
  return kExitDone;
}

Result<int> GiveStatement(Context& context, engine::SqlSession& session,
                          const std::string& statement, const RowOptions& options) {
  return GiveStatement(context, session, statement, options, context.wait());
}

Result<int> GiveResult(Context& context, engine::Connection& connection,
                       engine::QueryResult& result, const RowOptions& options) {
  VL_TRY(engine::ResultFormat format, FormatOf(context, options));
  if (format == engine::ResultFormat::kParquet) {
    VL_TRY(RowList rows, ToRowList(result));
    VL_RETURN_IF_ERROR(
        WriteSelect(connection, rows.ToSql(), options, context.json(), context.wait()));
  } else {
    VL_RETURN_IF_ERROR(WriteRows(result, format, options));
  }
  return kExitDone;
}

}  // namespace vitalake::cli
