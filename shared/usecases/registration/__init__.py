"""Registration: platforms, templates and sensors, and what is stored of them."""
