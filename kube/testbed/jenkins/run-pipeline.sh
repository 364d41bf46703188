#!/bin/bash
# A run of the pipeline, for a job of Jenkins, whose image has curl, awk and no kubectl: makes a Job from the template in the CronJob, as
# `kubectl create job --from` does, waits for its end, prints the log of each step, and fails if the run failed.
set -euo pipefail

api=${API_URL:-https://kubernetes.default.svc}
account=${ACCOUNT_FOLDER:-/var/run/secrets/kubernetes.io/serviceaccount}
run=jenkins-${BUILD_NUMBER:?}-$(date +%s)
jobs=/apis/batch/v1/namespaces/testbed-build

# The token is read each time, because it is renewed, and comes from a file, because arguments are seen by others. The API server indents
# JSON for a user agent `curl`, and below a line is searched.
call() {
  local path=$1
  shift
  curl --silent --show-error --fail-with-body --user-agent run-pipeline --cacert "$account/ca.crt" \
    --header @<(printf 'Authorization: Bearer %s' "$(cat "$account/token")") "$@" "$api$path"
}

# In the YAML of the API server each level is indented by two spaces.
template() {
  call "$jobs/cronjobs/pipeline" --header 'Accept: application/yaml' |
    awk '/^  jobTemplate:/ { inside = 1; next } /^ ? ?[^ ]/ { inside = 0 } inside { print substr($0, 5) }'
}

pod() {
  call "/api/v1/namespaces/testbed-build/pods?labelSelector=batch.kubernetes.io/job-name=$run" |
    grep -o '"name":"'"$run"'-[a-z0-9]*"' | head -n 1 | cut -d '"' -f 4 || true
}

# Complete, Failed, or nothing yet.
end() {
  call "$jobs/jobs/$run" | grep -o '"type":"\(Complete\|Failed\)","status":"True"' | cut -d '"' -f 4 || true
}

{
  printf 'apiVersion: batch/v1\nkind: Job\n'
  template | sed "s/^metadata:\$/metadata:\n  name: $run/"
} | call "$jobs/jobs" --output /dev/null --header 'Content-Type: application/yaml' --data-binary @-
echo "run $run"

until state=$(end) && [ -n "$state" ]; do sleep 2; done

name=$(pod)
for step in build deploy test; do
  echo "== $step"
  call "/api/v1/namespaces/testbed-build/pods/$name/log?container=$step" || echo 'no log: it did not begin'
done
echo "run $run: $state"
[ "$state" = Complete ]
