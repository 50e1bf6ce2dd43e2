import { describe, expect, test } from 'vitest'
import { HANDLER_TEXT } from '../support/handler-text.ts'
import { PHPS } from '../support/php/php.ts'

describe.each(PHPS)('%s', (_, { runPhp }) => {
  test('of many that held a session a line names those that held it longest, and counts the others', () => {
    const code = `${HANDLER_TEXT.redis.replace('<?php', '')}
      $now = 1764115200000;
      $wait = new \\PhpSessions\\Wait('|0|7|GET|/poll');
      foreach ([1 => 2000, 2 => 90000, 3 => 100, 4 => 60000, 5 => 5000] as $process => $age) {
        $wait->saw("0123456789abcdef " . ($now - $age) . "|2|$process|POST|/page$process @10.0.0.1:6379", $now);
      }
      // A lock on its way to another.
      $wait->saw('@', $now);
      // A lock that a clock ahead of its own has written.
      $wait->saw('0123456789abcdef ' . ($now + 9000) . '|2|6|GET|/ahead', $now);
      echo \\PhpSessions\\Wait::over($wait, 'too long')->getMessage();`
    expect(runPhp('', code).toString()).toBe(
      'too long: GET /poll, behind POST /page2 (instance 2, process 2, for 90.0 s), POST /page4 (instance 2, process 4, for 60.0 s), POST /page5 (instance 2, process 5, for 5.0 s) and 3 more',
    )
  })
})
