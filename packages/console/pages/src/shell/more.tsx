import { hrefOf } from '../parts/router.ts';

/** A page that lists the views that are not in the navigation. */
export function listOf(views: readonly { name: string; title?: string; about?: string }[]) {
  return function More() {
    return (
      <>
        <h1>More</h1>
        <ul class="more">
          {views.map(({ name, title, about }) => (
            <li key={name}>
              <a class="button" href={hrefOf(name)}>
                {title}
              </a>{' '}
              <span class="muted">{about}</span>
            </li>
          ))}
        </ul>
      </>
    );
  };
}
