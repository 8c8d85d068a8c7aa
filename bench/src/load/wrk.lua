-- What wrk sends: `wrk -s wrk.lua URL -- BODY SECONDS`, with the name of the body's file. After so many
-- seconds nothing more is sent, so that at its end wrk waits for no answer, and every request is counted.
-- Says how it went as JSON.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *time);
]]

local MONOTONIC = 1
local moment = ffi.new("moment")

local function now()
  ffi.C.clock_gettime(MONOTONIC, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local message, time, ends

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.body = file:read("*a")
  file:close()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  message = wrk.format()
  time = tonumber(arguments[2])
end

function request()
  local at = now()
  ends = ends or at + time
  -- Of an empty message wrk sends nothing.
  return at < ends and message or ""
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"p50_us":%d,"p99_us":%d,"unanswered":%d,"refused":%d}\n',
    summary.requests, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
