"""SepConv++ (Niklaus et al. 2021, arXiv:2011.01280); no training code was released.

As one who retrains it quotes the paper (sniklaus/revisiting-sepconv issue #3): Vimeo-90K without a
validation part, AdaMax with learning rate 1e-3, halved at epochs 60 and 80, batch 16; a loss of
features by relu1_2 of a VGG network whose filtered features, not the frame's, are compared. That
loss is not made here: what is, is the colour loss of its predecessor. Chosen, not known: crops of
128x128, 100 epochs, flips and time reversal, all as usual. The number of steps counts all 51,313
training triplets, of which the last 5 % are held out here.
"""

from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes.sepconv import l1

EPOCHS, EPOCH = 100, 3207  # steps of 16 of the 51,313 triplets

RECIPES = {
    "": Recipe(
        model="resepconv",
        loss=l1,
        optimizer=Optimizer("adamax", 1e-3, schedule=steps_down(0.5, 60 / EPOCHS, 80 / EPOCHS)),
        data=("vimeo90k/triplet",),
        crop=(128, 128),
        batch=16,
        steps=EPOCHS * EPOCH,
        augment=Augment(flip=True, flop=True, reverse=True),
    ),
}
