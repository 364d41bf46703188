/** Tabs: links, one of which is current. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { text: string; href: string; isCurrent?: boolean }[];
}) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ text, href, isCurrent }) => (
        <a key={text} href={href} aria-current={isCurrent ? 'true' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
