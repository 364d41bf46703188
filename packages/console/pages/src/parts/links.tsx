import { hrefOf } from './router.ts';

export function MachineLink({ name, text = name }: { name: string; text?: string }) {
  return <a href={hrefOf('machine', [name])}>{text}</a>;
}

/** A port, an outlet or a device: `switch-1/14`, `pdu-1`. */
export function PortLink({ port }: { port: string }) {
  return <a href={hrefOf('rack', [], { port })}>{port}</a>;
}
