"""A simulated day at the border. What happens on this day depends on a seed. The simulated declarants, carriers,
officers, treatment yards and terminals act only through the topics."""
