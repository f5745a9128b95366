"""What stands at the roadside: interlock, conflict monitor, local controller."""
