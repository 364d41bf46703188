/** The requests of the benches: alerts that alternately fire and are resolved, so that each is a transition. */

/** Alerts of the rack; each is repeated only after all others were sent. */
export const alerts = 1000;

/** An alert as Prometheus posts it, of typical size. `$N` is its number, `$END` its end. */
const alert = JSON.stringify({
  annotations: {
    description: 'rpi-$N:9100 of job node has been down for more than 5 minutes.',
    summary: 'Instance rpi-$N:9100 down',
  },
  endsAt: '$END',
  startsAt: '2026-11-20T07:00:00.000Z',
  generatorURL: 'http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
  labels: {
    alertname: 'InstanceDown',
    cluster: 'rack4',
    instance: 'rpi-$N:9100',
    job: 'node',
    severity: 'critical',
  },
});

/**
 * A script for wrk that posts batches of this many alerts: all firing, then all resolved, and so on. It creates the requests before the
 * load begins: wrk takes 7 µs to create an alert, about as long as the service takes to accept one.
 */
export function alertScript(batch: number): string {
  return `local template = [==[${alert}]==]
local requests = {}
local sent = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function one(number)
  local ends = math.floor(number / ${alerts}) % 2 == 0 and "2099-01-01T00:00:00Z" or "2026-11-20T07:05:00Z"
  return (template:gsub("$END", ends):gsub("$N", tostring(number % ${alerts})))
end
function init()
  local next = 0
  repeat
    local all = {}
    for i = 1, ${batch} do
      all[i] = one(next)
      next = next + 1
    end
    table.insert(requests, wrk.format(nil, nil, nil, "[" .. table.concat(all, ",") .. "]"))
  until next % ${2 * alerts} == 0
end
function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end
`;
}

/** A script for wrk that posts this many bytes. */
export function bytesScript(bytes: number): string {
  return `wrk.method = "POST"
wrk.body = string.rep("x", ${bytes - 1}) .. "\\n"
`;
}
