"""What joins the drivers: prepare a crew, compare ways to serve it."""
