<?php

namespace PhpSessions;

use function get_cfg_var;

install(new MemcachedSession((string) get_cfg_var('php_sessions.store')), 'memcached', 'memcached');
