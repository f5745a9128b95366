"""Version 1 of the interface; generated from the `.proto` files beside it by `make proto`."""
