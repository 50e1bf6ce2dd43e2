import { readFileSync } from 'node:fs'

/** A work that is linked into the executable. */
export interface NativePart {
  readonly name: string
  readonly home: string
  /** As SPDX names it. */
  readonly licence: string
  /** The lines that its licence wants to be kept. */
  readonly copyright: readonly string[]
  /** The file that has the text of a licence other than MIT. */
  readonly terms?: string
}

/** What scripts/parts/native.sh links into the executable, from pinned sources. */
export const NATIVE_PARTS = {
  quickjs: {
    name: 'QuickJS',
    home: 'https://bellard.org/quickjs/',
    // Its tables of characters are made of Unicode's data.
    licence: 'MIT AND Unicode-3.0',
    copyright: ['Copyright (c) 2017-2025 Fabrice Bellard', 'Copyright (c) 2017-2025 Charlie Gordon'],
  },
  musl: {
    name: 'musl',
    home: 'https://musl.libc.org/',
    // Nor do those of its files that have other terms ask for more than their lines.
    licence: 'MIT',
    copyright: [
      'Copyright (c) 2005-2020 Rich Felker, et al.',
      'Copyright (c) 2017-2019 Arm Limited',
      'Copyright (c) 2011 Valentin Ochs',
      'Copyright (c) 1993, 2004 Sun Microsystems, Inc. All rights reserved. Permission to use,',
      'copy, modify, and distribute this software is freely granted, provided that this notice',
      'is preserved.',
    ],
  },
} as const satisfies Readonly<Record<string, NativePart>>

/** The data of which QuickJS' tables of characters (libunicode-table.h) are made. */
export const UNICODE = {
  name: "Unicode's character data 16.0.0",
  home: 'https://www.unicode.org/',
  licence: 'Unicode-3.0',
  copyright: ['Copyright © 1991-2024 Unicode, Inc.'],
  terms: 'native/unicode-licence.txt',
} as const satisfies NativePart

/** The release of a source that native/NAME.sha256 pins: `name_1.2.3.orig.tar.gz`. */
export function pinnedSource(name: keyof typeof NATIVE_PARTS) {
  const pin = /^(?<sha256>\w{64}) +(?<file>\w+_(?<version>[\d.]+)\.orig\.tar\.\w+)$/m
  const { sha256, file, version } = pin.exec(readFileSync(`native/${name}.sha256`, 'utf8'))?.groups ?? {}
  if (sha256 === undefined || file === undefined || version === undefined)
    throw new Error(`native/${name}.sha256 does not name a release`)
  return { sha256, file, version }
}
