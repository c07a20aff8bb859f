"""Device templates that come with the platform, a file each: `pilotbed plan profiles` lists them."""
