"""Prints each change of an alert once, in order: consumer.py URL PROJECT SUBSCRIPTION, with TOKEN in the environment."""
import base64, collections, json, os, sys, urllib.request
url, project, name = sys.argv[1:]
headers = {"Authorization": f"Bearer {os.environ.get('TOKEN')}", "Content-Type": "application/json"}
seen = collections.deque(maxlen=10_000)
def call(method, **body):
    where = f"{url}/v1/projects/{project}/subscriptions/{name}:{method}"
    return json.load(urllib.request.urlopen(urllib.request.Request(where, json.dumps(body).encode(), headers), timeout=120))
while True:
    for got in call("pull", maxMessages=100).get("receivedMessages", []):
        about, data = got["message"]["attributes"], json.loads(base64.b64decode(got["message"]["data"]))
        if about["kind"] == "transition" and about["id"] not in seen:
            print(about["status"], about["location"], about.get("alertname"), data.get("summary", ""), flush=True)
            seen.append(about["id"])
        call("acknowledge", ackIds=[got["ackId"]])
