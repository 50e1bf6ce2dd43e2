/** Who has the session that others wait for. */
export function Lock({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : <p class="lock">{text}</p>
}
