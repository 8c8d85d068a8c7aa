# Draws a report as a tree: service, status, milliseconds, and why it failed.
def indent: [range(.) | "  "] | add // "";
def tree(depth):
  (depth | indent) + "\(.service) \(.status) \(.duration_ms | round) ms"
    + (if .outcome == "simulated_error" then " FAILED BY \(.reason)" else "" end),
  (.calls[] | (if .outcome == "skipped" then empty else .tries[].report // empty end) | tree(depth + 1));
tree(0)
