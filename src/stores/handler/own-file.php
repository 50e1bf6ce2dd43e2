<?php

namespace PhpSessions;

use function get_cfg_var;

if (get_cfg_var('php_sessions.auto_prepend_file') !== false) {
    require get_cfg_var('php_sessions.auto_prepend_file');
}
