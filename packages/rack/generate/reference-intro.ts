/** Introduction of docs/rack-yaml.md. */
export const referenceIntro = `<!-- Made by \`npm run generate -w packages/rack\` from the schema in packages/rack/src. Do not edit. -->

# rack.yaml

One file describes a rack: its jumphost, equipment, machines, identities and service settings.
[rack4's rack.yaml](../kube/racks/rack4/rack.yaml) is a complete example with comments.

- **Check it** with \`skolo rack check --rack FILE\`, which reports all errors at once, each with its file, line and column, the
  invalid value and a likely fix. \`skolo inventory list --yaml\` prints the file with ranges expanded and defaults filled in.
- **Edit it** with completion: make \`# yaml-language-server: $schema=PATH/packages/rack/rack.schema.json\` the first line.
- **Change it**: a running service loads a valid change within two seconds, and rejects an invalid one. On k3s, the kubelet
  takes about a minute, and at most two, to write a changed ConfigMap to the file; \`skolo push rack\` reduces this to a second.

## Ranges

\`rpi-[001-040]\` defines forty entries. All ranges in an entry advance together, so the seventh machine gets the seventh address
and the seventh outlet. Every range must contain as many values as the name. A value without a range applies to all entries.

\`\`\`yaml
machines:
  rpi-[001-040]:
    kind: rpi
    address: 192.168.1.[101-140]
    power: switch-1/[1-40]
    uplink: switch-1/[1-40]
  host-[1-3]:
    kind: host
    mac: [dc:a6:32:00:00:01, dc:a6:32:00:00:02, dc:a6:32:00:00:03]  # a list does the same
\`\`\`

- A range contains numbers and spans in brackets: \`[1-3,7]\`. Leading zeros are kept. Several ranges in one value expand to all
  combinations, and the last range varies fastest: \`rack[1-2]-[1-3]\` expands to six names.
- Keys whose type ends in “or a list” also accept a list with one value for each name.
- To use brackets literally, put a backslash before them: \`\\[1-3]\`. Ranges in regular expressions (\`prompt\`, \`read.on\` …) are not
  expanded.
- Quote a value that begins with a bracket, because YAML would read it as a list: \`label: "[1-40]"\`. Within \`{ }\` and \`[ ]\`, skolo
  accepts \`switch-1/[1-40]\` without quotes, but editors and other YAML tools require them.

## Wiring

\`power: switch-1/14\` is the outlet that powers an entry. If you list several outlets, the entry is off only if all of them are off.
\`uplink: switch-1/14\` is the switch port that the entry is plugged into. [Models](#models) shows how each model numbers its
outlets. A phone is named \`MACHINE-device\` or \`MACHINE-NAME\`. \`usb/1-1.2\` is port 2 of USB hub 1-1 on the phone's machine.

## Secrets

The file never contains secrets. Instead of a secret, write its path (relative to rack.yaml), \`{ file: PATH }\` or
\`{ env: VARIABLE }\`. If a value has no slash or dot, such as \`password: word\`, and is not an existing file, \`skolo rack check\`
warns that it may be the secret itself. Write \`{ file: word }\` to state that it is a file.`;
