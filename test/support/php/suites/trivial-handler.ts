import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../../../../lab/processes/scratch.ts'

/** A handler as simple as it can be, over files. */
const TRIVIAL = `<?php
final class Trivial implements SessionHandlerInterface {
  private string $path = '';
  public function open(string $path, string $name): bool { $this->path = $path; return true; }
  public function close(): bool { return true; }
  public function read(string $id): string { return (string) @file_get_contents("$this->path/sess_$id"); }
  public function write(string $id, string $data): bool { return file_put_contents("$this->path/sess_$id", $data) !== false; }
  public function destroy(string $id): bool { @unlink("$this->path/sess_$id"); return true; }
  public function gc(int $max): int { return 0; }
}
session_set_save_handler(new Trivial, true);
`

/** The ini that has PHP's own handler keep sessions in a directory of their own. */
export const filesIni = () => `session.save_handler=files\nsession.save_path=${makeScratch('sessions')}\n`

/** The same, with a handler that is written in PHP. */
export function trivialIni(): string {
  const prepend = join(makeScratch('trivial'), 'prepend.php')
  writeFileSync(prepend, TRIVIAL)
  return `${filesIni()}auto_prepend_file=${prepend}\n`
}
