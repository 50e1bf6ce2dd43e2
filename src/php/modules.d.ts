/** A PHP file as text; esbuild and vitest are told so. */
declare module '*.php' {
  const text: string
  export default text
}
