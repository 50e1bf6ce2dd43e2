<?php
// The managed session handler takes this place.
