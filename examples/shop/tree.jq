# Draws a report as a tree: service, status, milliseconds, and why it failed.
. as $report
| ([.spans[] | select(.kind == "SERVER") | {key: .span_id, value: .parent_span_id}] | from_entries) as $callers
| def indent: [range(.) | "  "] | add // "";
  def ms: (.end_unix_nano | tonumber) - (.start_unix_nano | tonumber) | . / 1e6 | round;
  def tree(depth):
    (depth | indent) + "\(.service) \(.status) \(ms) ms"
      + (if .outcome == "simulated_error" then " FAILED BY \(.reason)" else "" end),
    (.published[]? | (depth + 1 | indent)
      + "\(.messages | length) to \(.queue) \(.outcome): "
      + ([.deliveries[].consumer | split("/")[2] | split(".")[0]] | join(", "))),
    (.calls[].tries[].span_id as $caller
      | $report.hops[] | select($callers[.span_id] == $caller) | tree(depth + 1));
  .hops[0] | tree(0)
