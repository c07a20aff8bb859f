"""VDA 5050, the interface between driverless robots and their fleet control: 2.0, 2.1 and 3.0."""
