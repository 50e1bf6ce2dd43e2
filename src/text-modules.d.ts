/** PHP and Lua files and NOTICE are imported as text: by esbuild's loader `text`, and by a plugin in vitest.config.ts. */
declare module '*.php' {
  const text: string
  export default text
}

declare module '*.lua' {
  const text: string
  export default text
}

declare module '*/NOTICE' {
  const text: string
  export default text
}
