import './tab-links.css';

interface Tab {
  readonly id: string;
  readonly name: string;
  readonly href: string;
  readonly count?: number | undefined;
}

interface TabLinksProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly current: string;
}

/** Tabs with an address each. */
export function TabLinks({ label, tabs, current }: TabLinksProps) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ id, name, href, count }) => (
        <a key={id} href={href} data-replace aria-current={id === current ? 'page' : undefined}>
          {name}
          {count !== undefined && <span className="tab-count">{count}</span>}
        </a>
      ))}
    </nav>
  );
}
