/** Ways in which a machine misbehaves. */
const machineFaults = [
  /** Power comes, and it never comes up. Only another power cycle or reboot makes it try again. */
  'never-boots',
  /** Takes the request to reboot, and stays as it is. */
  'hangs-at-reboot',
  /** Does not do what `reboot` over ssh asks for, and says so. */
  'reboot-rejected',
  /** The command over ssh that asks for a reboot never ends. */
  'reboot-command-hangs',
  /** `sudo -n` over ssh would need a password. */
  'sudo-asks',
  /** Its agent takes connections and never says a word. */
  'agent-silent',
  /** Each answer of its agent takes `slowMs`. */
  'agent-slow',
  /** No password or key is right. */
  'ssh-rejects-login',
  /** Takes connections at its ssh port and never says a word. */
  'ssh-silent',
  /** Says its first word at its ssh port after `slowMs`. */
  'ssh-slow',
  /** Powered, and all its ports are closed. A power cycle revives it. */
  'dead',
  /** Wired wrongly: it has power whatever its outlets say. */
  'ignores-power',
  /** Its hub takes commands and leaves the power on, as hubs without real switches do. */
  'usb-ignored',
  /** Its hub is gone from the bus. */
  'usb-missing',
  'uhubctl-missing',
] as const;
export type MachineFault = (typeof machineFaults)[number];
