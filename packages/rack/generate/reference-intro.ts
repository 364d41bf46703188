/** Introduction of docs/rack-yaml.md. */
export const referenceIntro = `<!-- Made by \`npm run generate -w packages/rack\` from the schema in packages/rack/src. Do not edit. -->

# rack.yaml

One file describes a rack: its jumphost, equipment, machines and identities, and the settings of its services. All parts of
skolo read it. [kube/racks/rack4/rack.yaml](../kube/racks/rack4/rack.yaml) is a complete example with comments.

- **Check it** with \`skolo rack check --rack FILE\`, which prints all errors with their line and column, what it found, and
  what it expected. \`skolo inventory list\` prints rack.yaml with all ranges and defaults expanded.
- **Edit it** with completion if its first line is
  \`# yaml-language-server: $schema=PATH/packages/rack/rack.schema.json\`.
- **Changes apply immediately**: a running service loads a valid change within two seconds, and rejects an invalid one. In a
  Kubernetes ConfigMap, it can take another two minutes until the kubelet has written the file.

## Ranges

\`rpi-[001-040]\` describes forty machines in one entry. All ranges in the entry advance together, so the seventh machine has
the seventh address and the seventh outlet. They must be as long as the range in the name. A value without a range applies
to all machines.

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

- A range consists of numbers and spans in brackets, such as \`[1-3,7]\`. Leading zeros are kept. If a text contains more than
  one pair of brackets, it stands for all combinations, and the last range changes fastest: \`rack[1-2]-[1-3]\` is six names.
- A key whose type is “… or a list” accepts a list with one value for each name.
- Write a backslash before brackets that are not a range: \`\\[1-3]\`. Regular expressions (\`prompt\`, \`read.on\` …) cannot
  contain ranges.
- Quote a value that begins with a bracket, because otherwise YAML parses it as a list: \`label: "[1-40]"\`. Inside \`{ }\` and
  \`[ ]\`, skolo accepts \`switch-1/[1-40]\` without quotes, but editors and other YAML tools require them.

## Wiring

\`power: switch-1/14\` is the outlet that feeds a machine or device. A list contains all its feeds, and it is off only if all of
them are off. \`uplink: switch-1/14\` is the port that it is plugged into. Each model numbers its outlets as listed below. The
name of a phone is \`MACHINE-device\` or \`MACHINE-NAME\`. \`usb/1-1.2\` is port 2 of USB hub 1-1 on its own machine.

## Secrets

rack.yaml does not contain secrets. Instead of a secret, write a path (relative to rack.yaml),
\`{ file: PATH }\` or \`{ env: VARIABLE }\`. \`skolo rack check\` warns of a word without a slash or dot, such as
\`password: word\`, if no such file exists, because it may be the secret itself. \`{ file: word }\` always means a file.`;
