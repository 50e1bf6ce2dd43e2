<?php
// How many values the app keeps in the session of this cookie. Added to the app for the demo.
session_name((string) $_GET['name']);
session_start(['read_and_close' => true]);
echo 'values: ', count($_SESSION);
