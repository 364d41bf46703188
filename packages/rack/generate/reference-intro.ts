/** Introduction of docs/reference/rack-yaml.md. */
export const referenceIntro = `<!-- Made by \`npm run generate\` from the schema in packages/rack/src. Do not edit. -->

# rack.yaml

This file describes a rack: its jumphost, equipment, machines, identities and service settings.
For a complete example with comments, see [rack4's rack.yaml](../../kube/racks/rack4/rack.yaml).

- **Check it** with \`skolo check rack --rack FILE\`, which reports all errors at once, each with its location, the invalid value
  and a likely fix. \`skolo inventory list --yaml\` prints the file with ranges expanded and defaults filled in.
- **Edit it** in an editor with completion: add \`# yaml-language-server: $schema=PATH/packages/rack/rack.schema.json\` as the first line.
- **Change it** while services are running: they load a valid change within two seconds, and reject an invalid one. On k3s, the
  kubelet must first update the file from the ConfigMap. This takes up to two minutes, or about a second with \`skolo push rack\`.

## Ranges

\`rpi-[001-040]\` defines forty entries. All ranges in an entry advance together, so the seventh machine gets the seventh address
and outlet. Each range must contain as many values as the range in the name. A value without a range applies to
all forty entries.

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

- A range is a list of numbers and spans in brackets, such as \`[1-3,7]\`. Leading zeros are preserved. A value with several ranges
  expands to all their combinations; the last range varies fastest. For example, \`rack[1-2]-[1-3]\` expands to six names.
- Except for \`power\`, keys whose type ends in “or a list” also accept a list with one value for each name.
- To use brackets literally, put a backslash before them, as in \`\\[1-3]\`. In keys that contain regular expressions, such as
  \`prompt\` and \`read.on\`, brackets are never treated as ranges.
- Quote a value that begins with a bracket, because YAML would otherwise interpret it as a list: \`label: "[1-40]"\`. Within \`{ }\`
  and \`[ ]\`, skolo accepts \`switch-1/[1-40]\` without quotes, but editors and other YAML tools require quotes.

## Wiring

\`power: switch-1/14\` means that outlet 14 of switch-1 powers the machine or equipment. If you list several outlets, it is off only when
all of them are off. \`uplink: switch-1/14\` means that it is plugged into port 14 of switch-1. For the outlet and port names of each
model, see [Models](#models). A phone's full name is \`MACHINE-NAME\`, or \`MACHINE-device\` if the phone has no name. In a phone's
\`power\`, \`usb/1-1.2\` means port 2 of the machine's USB hub 1-1.

## Your own models

If several pieces of equipment share a description, or you want to name one, write it once in \`models\`, and use it as their \`model\`:

\`\`\`yaml
models:
  lab/epdu:
    base: snmp-switch
    on: { object: '1.3.6.1.4.1.9999.4.{outlet}', value: 1 }
    off: { object: '1.3.6.1.4.1.9999.4.{outlet}', value: 2 }
    read: { object: '1.3.6.1.4.1.9999.2.{outlet}', on: [1], off: [2] }
equipment:
  pdu-[1-2]: { model: lab/epdu, address: '192.168.1.[30-31]', login: pdus, outlets: 8 }
\`\`\`

The base is \`command-switch\`, \`generic\`, \`http-switch\`, \`mqtt-switch\` or \`snmp-switch\`. An entry adds the keys that its description lacks.
Until a machine has confirmed a description that switches outlets, it is
[unproven](../../services/power-cycle-daemon/README.md#described-equipment).

## Secret files

rack.yaml must not contain secrets. Instead of a secret, specify the path of a file that contains it (relative to rack.yaml),
\`{ file: PATH }\` or \`{ env: VARIABLE }\`. If a value contains no slash or dot, as in \`password: word\`, and no such file exists,
\`skolo check rack\` warns that the value may be the secret itself. To indicate that it is a file name, write \`{ file: word }\`.`;
