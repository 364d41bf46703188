/** Introduction of docs/rack-yaml.md. */
export const referenceIntro = `<!-- Made by \`npm run generate -w packages/rack\` from the schema in packages/rack/src. Do not edit. -->

# rack.yaml

One file describes a rack: its jumphost, its equipment, its machines, who gets which identity, and the settings of the
services. Everything that skolo runs reads it. A complete one, with comments, is
[kube/racks/rack4/rack.yaml](../kube/racks/rack4/rack.yaml).

- **Check it**: \`skolo rack check --rack FILE\`. All errors are shown at once, each with file, line and column, what was
  found, and what it probably should be. \`skolo inventory list\` prints it with every range and default written out.
- **Edit it** with completion: let the first line be
  \`# yaml-language-server: $schema=PATH/packages/rack/rack.schema.json\`.
- **Live**: a running service takes up a valid change within two seconds, and rejects an invalid one. As a ConfigMap of
  Kubernetes, add up to two minutes until kubelet has written the file.

## Ranges

\`rpi-[001-040]\` names forty entries at once. All ranges within the entry advance together: the seventh machine has the
seventh address and the seventh outlet. They must be of the same length as the name; a value without a range is the same
for all.

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

- A range is numbers and spans in brackets: \`[1-3,7]\`. Leading zeros are kept. Several brackets in one text are all their
  combinations, the last turning fastest: \`rack[1-2]-[1-3]\` is six names.
- Keys whose type is “… or list of …” take one value for each name in a list.
- A backslash makes brackets text: \`\\[1-3]\`. Expressions (\`prompt\`, \`read.on\` …) hold no ranges.
- A value that begins with a bracket must be quoted, or YAML reads a list: \`label: "[1-40]"\`. Within \`{ }\` and \`[ ]\` skolo
  takes \`switch-1/[1-40]\` as it is; editors and other YAML tools want quotes around it there.

## Wiring

\`power: switch-1/14\` is the outlet that feeds something. A list is several feeds, and it is off only when all are.
\`uplink: switch-1/14\` is the port that it is plugged into. Outlets are written as the model counts them (below). A phone is
\`MACHINE-device\`, or \`MACHINE-NAME\`; \`usb/1-1.2\` is port 2 of the USB hub 1-1 of its own machine.

## Secrets

Secrets are never in the file. In place of a secret, write a path (relative to the folder of rack.yaml), \`{ file: PATH }\` or
\`{ env: VARIABLE }\`. \`skolo rack check\` warns of a word without a slash or a dot, such as \`password: word\`, where no such
file exists: it may be the secret itself. \`{ file: word }\` states that it is a file.`;
